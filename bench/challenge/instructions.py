"""What goes out beside the images of a challenge: `challenge.json` for scripts, README for people.

Both say no more than those who are asked may know: no source, split, order or photograph.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bench.challenge.ids import Challenge
from bench.suites.base import SuiteCard

MANIFEST = "challenge.json"
README = "README.md"
IMAGES = "images"
TRAINING = "training"
BETWEEN = "__"
LICENCE = (
    "The images stay under the terms of the data set they come from, or of their photographers. "
    "Do not pass them on before you know these."
)

_ATTACKS = """\
Anonymise every image of `{images}/` towards every target listed in `challenge.json`, and send back
a folder or a zip of PNG files:

    IMAGEID{between}TARGET.png    a targeted method: one file an image and target
    IMAGEID.png            an untargeted method: one file an image

{wanted}

{training}
- PNG, RGB, 8 bits a channel, {px} x {px} pixels, each file on its own: no frame, no scaling.
- Every target is wanted for every image. For some images one target is the true camera model; that
  answer is not scored.
- Target names are case-sensitive and written as in `challenge.json`.
- Answer with one method for all images, and use nothing but the pixels and the target. The images
  have no order, and no answer is to depend on another image.
- An image that you leave out is reported as missing, never filled in.
"""
_VICTIMS = """\
Say of every image of `{images}/` which camera model took it, and send back one CSV or Parquet file
with one row an image:

    image        the image's id: its file name without `.png`
    predicted    one of the class names of `challenge.json`

and, if your classifier gives probabilities, one more column for each class, named as the class is;
each row of them sums to 1. Write them with six decimals or more.

{wanted}

{training}
- Some images are untouched photographs, others were anonymised; which is which, and how, is not
  told. Classify all of them by one method, each image on its own.
- Some come from cameras of none of these classes; they, too, get one of the class names.
- Not all of them are scored; which are is not told.
- An image that you leave out is reported as missing, never filled in.
"""
_TRAINING = (
    "- Train on `{folder}/` alone: images of other devices of these camera models, which\n"
    "  `{folder}/manifest.csv` names, and which of them to hold out for validation."
)


def manifest(
    challenge: Challenge, card: SuiteCard, ids: Iterable[str], licence: str
) -> dict[str, Any]:
    """What `challenge.json` holds; the images are sorted by id."""
    side, targets = card.image_px, len(card.classes)
    images = [{"id": one, "width": side, "height": side} for one in sorted(ids)]
    if challenge.audience == "attacks":
        text, classes = _ATTACKS, "targets"
        wanted = f"{len(images) * targets} files for a targeted method, {len(images)} for an "
        wanted += "untargeted one."
    else:
        text, classes, wanted = _VICTIMS, "classes", f"{len(images)} rows in all."
    training = _TRAINING.format(folder=TRAINING)
    return {
        "schema": 1,
        "challenge": challenge.key,
        "for": challenge.audience,
        "suite": {"name": card.name, "version": card.version, "fingerprint": card.fingerprint},
        classes: list(card.classes),
        "instructions": text.format(
            images=IMAGES, between=BETWEEN, training=training, px=side, wanted=wanted
        ),
        "licence": licence,
        "images": images,
    }


def readme(told: dict[str, Any]) -> str:
    """The README of the exported folder, from what `manifest` returns."""
    what = "targets" if "targets" in told else "classes"
    names = "\n".join(f"- `{name}`" for name in told[what])
    suite = told["suite"]
    return (
        f"# Challenge {told['challenge']}\n\n"
        f"Suite {suite['name']}, fingerprint {suite['fingerprint'][:12]}.\n\n"
        f"{told['instructions']}\n"
        f"## {what.title()}\n\n{names}\n\n"
        f"## Licence\n\n{told['licence']}\n"
    )
