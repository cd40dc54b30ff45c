"""Writes a challenge: PNG files under opaque ids, with nothing but pixels to tell them apart.

Files carry no metadata and one and the same time, and are created in the order of their ids: that
in which they are made follows the attacks and the suite. What a killed run has written is not
written again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from bench.challenge.ids import Challenge, ChallengeImage, is_targeted, open_challenge
from bench.challenge.instructions import (
    IMAGES,
    LICENCE,
    MANIFEST,
    README,
    TRAINING,
    manifest,
    readme,
)
from bench.jobs.scoring.items import Item, mixed
from bench.jobs.scoring.kept import KeptImages, kept_file
from bench.jobs.scoring.rows import row_shards
from bench.plan.cells import row_key
from bench.plan.matrix import Matrix
from bench.plan.request import Request, Session, open_session
from bench.store import Store, digest, explaining_full_disk, write_json, write_text
from bench.store.outputs import note_own, require_own
from bench.suites.base import Suite
from bench.suites.export import TOLD, export_set
from bench.types import CamobenchError, Progress, SetName, Silent

FILE_TIME_S = 315_532_800
"""Of every file: 1980-01-01, the earliest that a zip archive can hold."""
UNFINISHED = ".unfinished"


def export_challenge(
    request: Request,
    store: Store,
    out: Path,
    *,
    for_victims: bool,
    licence: str | None = None,
    progress: Progress | None = None,
) -> Challenge:
    """Make what is missing of the sets and of the attacks' images, then write the challenge.

    For makers of attacks it is Set-C; for those of victims what a run with --keep-images keeps of
    each attack, with the originals as what `identity` leaves. Beside it goes the set that they may
    train on, with labels: Set-B or Set-A.

    Raises:
        CamobenchError: If an attack fails, `out` holds anything else, or the disk is full.
    """
    progress = progress or Silent()
    session = open_session(replace(request, victims=(), keep_images=True), store)
    theirs: SetName = "A" if for_victims else "B"
    matrix = _anonymised(session, progress) if for_victims else None
    suite = session.prepare((theirs, "C"), progress)
    if matrix is None:
        challenge = open_challenge(store, suite.card, "attacks")
    else:
        keys, weights = session.graph.attacks, matrix.networks.attack_digest
        names = sorted(session.request.attacks)
        content = {name: {"key": keys[name], "digest": weights(name)} for name in names}
        challenge = open_challenge(store, suite.card, "victims", content)
    images = challenge.images(suite)
    told = manifest(challenge, suite.card, images, licence or LICENCE)
    made_of = {"challenge": challenge.key, "ids": digest(list(images))}
    require_own(out, "challenge", made_of)
    note_own(out, "challenge", made_of)
    write_json(out / MANIFEST, told)
    write_text(out / README, readme(told))
    (out / IMAGES).mkdir(exist_ok=True)
    (out / UNFINISHED).mkdir(exist_ok=True)
    with explaining_full_disk(out):
        present = {path.stem for path in out.glob("*/*.png")}
        missing = {one: image for one, image in images.items() if one not in present}
        label = f"challenge {challenge.key}: images"
        progress.start(label, len(images), len(images) - len(missing))
        for opaque, pixels in _pixels(suite, matrix, missing):
            _save_png(out / UNFINISHED / f"{opaque}.png", pixels)
            progress.advance()
        for path in sorted((out / UNFINISHED).glob("*.png")):
            # A copy, for a renamed file keeps the inode and the birth time of when it was made.
            shutil.copyfile(path, out / ".part")
            os.utime(out / ".part", (FILE_TIME_S, FILE_TIME_S))
            os.replace(out / ".part", out / IMAGES / path.name)
        shutil.rmtree(out / UNFINISHED)
        progress.finish()
    export_set(suite, theirs, out / TRAINING, told=TOLD, progress=progress)
    for path in (*(out / TRAINING).rglob("*"), *out.iterdir(), out):
        os.utime(path, (FILE_TIME_S, FILE_TIME_S))
    return challenge


def _anonymised(session: Session, progress: Progress) -> Matrix:
    """The matrix, once the store keeps the images of every attack."""
    session.train(progress)
    matrix = session.matrix(progress)
    matrix.fill(session.request.attacks)
    if session.failures.noted:
        raise CamobenchError(f"nothing was exported: {session.failures.summary()}")
    return matrix


def _pixels(
    suite: Suite, matrix: Matrix | None, wanted: Mapping[str, ChallengeImage]
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Images by id, (3, H, W): the originals, or what the matrix keeps of the attacks."""
    originals = suite.images("C")
    if matrix is None:
        yield from ((one, originals[image.item.index]) for one, image in wanted.items())
        return
    shards = row_shards(mixed(suite.manifest("C")))
    shard_of = {index: number for number, some in enumerate(shards) for index in some}
    groups: dict[tuple[str, int], dict[str, Item]] = {}
    for one, (attack, item) in wanted.items():
        groups.setdefault((attack or "", shard_of[item.index]), {})[one] = item
    for (attack, number), items in groups.items():
        path = kept_file(matrix.shelf.store, row_key(matrix.networks, attack), number)
        kept = KeptImages(path, targeted=is_targeted(attack))
        for one, item in items.items():
            original = torch.from_numpy(originals[[item.index]])
            yield one, kept.anonymise([item], original)[0].numpy()


def _save_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write (3, H, W) pixels as a PNG without any metadata, in one step."""
    temporary = path.with_suffix(".part")
    Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(temporary, "PNG")
    os.replace(temporary, path)
