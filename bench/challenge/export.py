"""Writes a challenge: PNG files under opaque ids, with nothing but pixels to tell them apart.

Beside them go `challenge.json` for scripts and a README for people, which say no more than those
who are asked may know: no source, split, order or photograph. Files carry no metadata and one and
the same time, and are created in the order of their ids: that in which they are made follows the
attacks and the suite. What a killed run has written is not written again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bench.challenge.ids import (
    BETWEEN,
    MANIFEST,
    README,
    Challenge,
    ChallengeImage,
    is_targeted,
    open_challenge,
)
from bench.data import encode_png
from bench.jobs.scoring.items import Item, mixed
from bench.jobs.scoring.kept import KeptImages, kept_file
from bench.jobs.scoring.rows import row_shards
from bench.plan.cells import row_key
from bench.plan.request import Request, open_session
from bench.plan.session import Session
from bench.store import Store, explaining_full_disk, write_json, write_text
from bench.store.outputs import note_own, require_own
from bench.suites.base import Suite, SuiteCard
from bench.suites.export import TOLD, export_set
from bench.types import SILENT, CamobenchError, Progress, SetName

IMAGES = "images"
TRAINING = "training"
LICENCE = (
    "The images stay under the terms of the data set they come from, or of their photographers. "
    "Do not pass them on before you know these."
)

FILE_TIME_S = 315_532_800
"""Of every file: 1980-01-01, the earliest that a zip archive can hold."""
UNFINISHED = ".unfinished"

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
- Every image is wanted. Not all of them are scored; which are is not told.
"""
_TRAINING = (
    "- Train on `{folder}/` alone: images of other devices of these camera models, which\n"
    "  `{folder}/manifest.csv` names, and which of them to hold out for validation."
)


def export_challenge(
    request: Request,
    store: Store,
    out: Path,
    *,
    for_victims: bool,
    licence: str | None = None,
    progress: Progress = SILENT,
) -> Challenge:
    """Make what is missing of the sets and of the attacks' images, then write the challenge.

    For makers of attacks it is Set-C; for those of victims what a run with --keep-images keeps of
    each attack, with the originals as what `identity` leaves. Beside it goes the set that they may
    train on, with labels: Set-B or Set-A.

    Raises:
        CamobenchError: If an attack fails, `out` holds anything else, or the disk is full.
    """
    asked = replace(request, victims=(), keep_images=True, strengths=(), recompress=())
    session = open_session(asked, store, progress)
    theirs: SetName = "A" if for_victims else "B"
    suite, content = session.prepare((theirs, "C")), {}
    if for_victims:
        session.train()
        session.prepare_scoring()
        session.fill()
        if session.failures.noted:
            raise CamobenchError(f"nothing was exported: {session.failures.summary()}")
        keys, weights = session.graph.attacks, session.networks.attack_digest
        names = sorted(session.request.attacks)
        content = {name: {"key": keys[name], "digest": weights(name)} for name in names}
    challenge = open_challenge(store, suite.card, "victims" if for_victims else "attacks", content)
    images = challenge.images(suite)
    told = _manifest(challenge, suite.card, images, licence or LICENCE)
    made_of = {"challenge": challenge.key}
    with store.lock_results(out), explaining_full_disk(out):
        require_own(out, "challenge", made_of)
        note_own(out, "challenge", made_of)
        write_json(out / MANIFEST, told)
        write_text(out / README, _readme(told))
        (out / IMAGES).mkdir(exist_ok=True)
        (out / UNFINISHED).mkdir(exist_ok=True)
        present = {path.stem for path in out.glob("*/*.png")}
        missing = {one: image for one, image in images.items() if one not in present}
        label = f"challenge {challenge.key}: images"
        progress.start(label, len(images), len(images) - len(missing))
        part = out / ".part"
        for opaque, pixels in _pixels(suite, session if for_victims else None, missing):
            part.write_bytes(encode_png(pixels))
            os.replace(part, out / UNFINISHED / f"{opaque}.png")
            progress.advance()
        for path in sorted((out / UNFINISHED).glob("*.png")):
            # A copy, for a renamed file keeps the inode and the birth time of when it was made.
            shutil.copyfile(path, part)
            os.utime(part, (FILE_TIME_S, FILE_TIME_S))
            os.replace(part, out / IMAGES / path.name)
        shutil.rmtree(out / UNFINISHED)
        progress.finish()
        export_set(suite, theirs, out / TRAINING, told=TOLD, progress=progress)
        for path in (*(out / TRAINING).rglob("*"), *out.iterdir(), out):
            os.utime(path, (FILE_TIME_S, FILE_TIME_S))
    return challenge


def _pixels(
    suite: Suite, session: Session | None, wanted: Mapping[str, ChallengeImage]
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Images by id, (3, H, W): the originals, or what is kept of the attacks."""
    originals = suite.images("C")
    if session is None:
        yield from ((one, originals[image.item.index]) for one, image in wanted.items())
        return
    shards = row_shards(mixed(suite.manifest("C")))
    shard_of = {index: number for number, some in enumerate(shards) for index in some}
    groups: dict[tuple[str, int], dict[str, Item]] = {}
    for one, (attack, item) in wanted.items():
        groups.setdefault((attack or "", shard_of[item.index]), {})[one] = item
    for (attack, number), items in groups.items():
        path = kept_file(session.store, row_key(session.networks, attack), number)
        kept = KeptImages(path, targeted=is_targeted(attack))
        for one, item in items.items():
            original = torch.from_numpy(originals[[item.index]])
            yield one, kept.anonymise([item], original)[0].numpy()


def _manifest(
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


def _readme(told: dict[str, Any]) -> str:
    """The README of the exported folder, from its `challenge.json`."""
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
