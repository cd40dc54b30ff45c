"""`anonymise` and `attribute`: single files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bench.cli.options import (
    FOLDER,
    device_option,
    folder_options,
    format_option,
    images_argument,
    quiet_option,
    recipe_option,
    seed_option,
    store_option,
    suite_option,
)
from bench.cli.requests import make_request, open_store, require_victims, say, show_rows, watched


@click.command()
@images_argument
@click.option("--attack", required=True)
@click.option("--target", help="Camera model to imitate; not for untargeted attacks.")
@suite_option
@folder_options
@recipe_option
@click.option(
    "--out",
    type=FOLDER,
    default=Path("camobench-anonymised"),
    show_default=True,
    help="Where the PNG files go.",
)
@store_option
@device_option
@seed_option
@quiet_option
def anonymise(
    images: tuple[Path, ...],
    attack: str,
    target: str | None,
    out: Path,
    **choices: Any,
) -> None:
    """Anonymise IMAGES of any size into PNG files, called IMAGE__TARGET.png.

    No file is replaced: a name that is taken gets a number, and what the same command made before
    stands for itself. A PNG keeps how its picture looks: density, orientation (as a tag alone; the
    pixels stay where the camera put them) and the numbers of its colour profile, without texts,
    makers and dates. All other metadata is left out. Numbers of a profile that one maker alone uses
    still tell the maker.

    A photograph of more than 2048 pixels a side is worked on in overlapping tiles, with the
    pixels that one pass would give.

    Example: camobench anonymise photo.jpg --attack mislgan --target simcam-02
    """
    from bench.files.photographs import anonymise_files

    request = make_request(attacks=attack, victims="", **choices)
    with watched() as progress:
        made = anonymise_files(images, request, open_store(), attack, target, out, progress)
        for path in made:
            click.echo(path)


@click.command()
@images_argument
@click.option("--victims", default="all", show_default=True, help="Names or patterns.")
@suite_option
@folder_options
@recipe_option
@store_option
@device_option
@seed_option
@format_option
def attribute(images: tuple[Path, ...], victims: str, **choices: Any) -> None:
    """Attribute IMAGES of any size to camera models.

    A photograph of more than 2048 pixels a side is judged by the mean of a victim's logits over
    tiles of 512 x 512 pixels spread evenly over it.

    Example: camobench attribute photo.jpg --victims 'pef-*'
    """
    from bench.files.photographs import attribute_files

    request = make_request(attacks="", victims=victims, **choices)
    require_victims(request)
    show_rows(attribute_files(images, request, open_store()))
    classes = ", ".join(request.source.card.classes)
    say(f"the victims know {classes}: a photograph of any other camera gets one of these names too")
