"""`data`: make, audit and look at data sets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from bench.cli.options import (
    FILE,
    FOLDER,
    FOUND_FOLDER,
    Continuing,
    folder_options,
    format_option,
    quiet_option,
    store_option,
    workers_option,
)
from bench.cli.requests import make_source, open_prepared, open_store, say, show_rows, watched
from bench.types import CamobenchError, SetName


@click.group()
def data() -> None:
    """Make and look at data sets.

    Example: camobench data prepare simcam-mini-v2
    """


@data.command("prepare", cls=Continuing)
@click.argument("suite")
@folder_options
@store_option
@workers_option
@quiet_option
def data_prepare(suite: str, workers: int) -> None:
    """Make and audit all sets of SUITE: a simulated suite, folder:DIR, or dresden-v1.

    Photographs are JPEG, PNG or TIFF files of 8-bit RGB, whole: others are refused, never
    converted. Exit code 1 if a check of the audit fails; the sets stay in the store.

    Example: camobench data prepare dresden-v1 --root Dresden
    """
    from bench.processes import cpu_count
    from bench.suites.audit.record import audit_and_keep, kept_audit
    from bench.suites.base import prepare

    with watched() as progress:
        made = prepare(
            make_source(suite, progress),
            open_store(),
            ("A", "B", "C"),
            workers=workers or cpu_count(),
            progress=progress,
        )
        kept = kept_audit(made) or audit_and_keep(made, progress)
    click.echo(made.folder)
    if made.card.note:
        say(made.card.note)
    say(f"audit: {kept['verdict']}")
    _require_passed(suite, kept)


@data.command("audit")
@click.argument("suite")
@folder_options
@store_option
@format_option
@quiet_option
def data_audit(suite: str) -> None:
    """Check a prepared SUITE for what would make its numbers untrustworthy.

    Devices, scenes, photographs and copies on two sides, class balance, and what JPEG headers alone
    tell of the class. A copy of a photograph that was cropped or turned is not found. The verdict
    is kept with the suite and printed under every table made from then on. Exit code 1 if a check
    fails.

    Example: camobench data audit simcam-mini-v2
    """
    from bench.suites.audit.record import audit_and_keep

    with watched() as progress:
        made = open_prepared(suite, progress)
        kept = audit_and_keep(made, progress)
    show_rows(kept["checks"])
    _require_passed(suite, kept)


def _require_passed(suite: str, kept: Mapping[str, Any]) -> None:
    """Refuse a suite of which checks fail.

    Raises:
        CamobenchError: Names them, and what to do.
    """
    if failed := [one["check"] for one in kept["checks"] if one["verdict"] == "fail"]:
        raise CamobenchError(
            f"{suite} fails its audit: {', '.join(failed)}; mend what `camobench data audit` finds "
            "in its photographs and prepare it anew"
        )


@data.command("show")
@click.argument("suite")
@folder_options
@store_option
@format_option
@click.option("--picture", type=FILE, help="Contact sheet, PNG.")
@click.option(
    "--against",
    multiple=True,
    type=FOUND_FOLDER,
    help="Folder of real photographs to compare Set-C with; may be given again.",
)
def data_show(suite: str, picture: Path | None, against: tuple[Path, ...]) -> None:
    """Count images and devices of a prepared SUITE by camera model and set.

    With --against: what filters change, noise residuals, spectra and local contrasts of Set-C
    beside those of centre crops of real photographs; --picture is then a figure of them.

    Example: camobench data show simcam-mini-v2 --picture sheet.png
    """
    from bench.suites.show import contact_sheet, counts

    made = open_prepared(suite)
    if against:
        from bench.calibration import compare, save_figure

        rows, found = compare(made, against)
        show_rows(rows)
        if picture is not None:
            save_figure(found, picture)
            say(f"figure: {picture}")
        return
    show_rows(counts(made))
    if made.card.note:
        say(made.card.note)
    if picture is not None:
        contact_sheet(made, picture)
        say(f"contact sheet: {picture}")


@data.command("export", cls=Continuing)
@click.argument("suite")
@click.option("--set", "set_name", type=click.Choice(["A", "B", "C", "D"]), required=True)
@click.option(
    "--out",
    type=FOLDER,
    help="Where the images go [SUITE-set-SET].",
)
@click.option("--labels", is_flag=True, help="Say of Set-C's images too what they are.")
@folder_options
@store_option
@workers_option
@quiet_option
def data_export(
    suite: str,
    set_name: SetName,
    out: Path | None,
    labels: bool,
    workers: int,
) -> None:
    """Write a set of SUITE as files, with a manifest.csv; resumes.

    Files are PNG. Of Set-C the manifest has file and SHA-256 alone, in an order that tells nothing,
    unless --labels is given; whoever is asked for an answer gets `camobench challenge export`
    instead.

    Example: camobench data export simcam-mini-v2 --set B --out set-b
    """
    from bench.processes import cpu_count
    from bench.store.outputs import note_own, require_own
    from bench.suites.base import prepare
    from bench.suites.export import export_set

    with watched() as progress:
        source = make_source(suite, progress)
        card, told = source.card, labels or set_name != "C"
        out = out or Path(f"{card.name}-set-{set_name}")
        made_of = {"suite": f"{card.name} ({card.fingerprint[:12]})", "set": set_name}
        made_of |= {"labels": "yes" if told else "no"}
        require_own(out, "export", made_of)
        workers = workers or cpu_count()
        made = prepare(source, open_store(), (set_name,), workers=workers, progress=progress)
        note_own(out, "export", made_of)
        export_set(made, set_name, out, told=None if told else (), progress=progress)
    click.echo(out)


@data.command("cameras")
@click.argument("picture", type=FILE, required=False)
@click.option("--scene", type=int, default=0, show_default=True, help="Seed of the scene.")
@click.option("--distance", is_flag=True, help="Print how far apart the cameras are.")
@format_option
def data_cameras(picture: Path | None, scene: int, distance: bool) -> None:
    """Save a PICTURE of one scene through all simulated cameras, with the noise residuals.

    With --distance: the same scenes, exposure and noise through each two cameras; mean LPIPS right
    of the diagonal, mean PSNR (dB) left of it.

    Example: camobench data cameras cameras.png --distance
    """
    if picture is None and not distance:
        raise click.UsageError("name a PICTURE, or ask for --distance")
    if distance:
        from bench.calibration import measure_distances

        show_rows(measure_distances().rows())
    if picture is not None:
        from bench.calibration import save_picture

        save_picture(picture, scene_seed=scene)
        say(f"cameras: {picture}")
