"""Writes a challenge: PNG files under opaque ids, with nothing but pixels to tell them apart.

Files carry no metadata and one and the same time, and are created in the order of their ids: that
in which they are made follows the attacks and the suite. What a killed run has written is not
written again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from bench.jobs.networks import Networks
from bench.runner.api import Request, open_session
from bench.runner.challenge.asked import asked_of_victims
from bench.runner.challenge.ids import Asked, Challenge, open_challenge
from bench.runner.challenge.making import anonymised
from bench.runner.challenge.manifest import (
    IMAGES,
    LICENCE,
    MANIFEST,
    README,
    TRAINING,
    instructions,
    manifest,
    readme,
    require_same_challenge,
)
from bench.store import Store, explaining_full_disk, write_json, write_text
from bench.suites.base import Suite
from bench.suites.export import TOLD, export_set
from bench.types import CamobenchError, Json, Progress, SetName, Silent

FILE_TIME_S = 315_532_800
"""Of every file: 1980-01-01, the earliest that a zip archive can hold."""
UNFINISHED = ".unfinished"
Maker: TypeAlias = Callable[[Mapping[str, Asked]], Iterable[tuple[str, NDArray[np.uint8]]]]
"""Makes the images that are missing: (3, H, W) pixels by id, in any order."""


def export_challenge(
    request: Request,
    store: Store,
    out: Path,
    *,
    for_victims: bool,
    licence: str | None = None,
    progress: Progress | None = None,
) -> Challenge:
    """Make what is missing of the sets and of the request's attacks, then write the challenge.

    Beside it goes the set that its makers may train on, with labels: Set-B for those of attacks,
    Set-A for those of victims.

    Raises:
        CamobenchError: If `out` holds anything else, or the disk is full.
    """
    progress, licence = progress or Silent(), licence or LICENCE
    session = open_session(request, store)
    theirs: SetName = "A" if for_victims else "B"
    if for_victims:
        session.train(progress)
    suite = session.prepare((theirs, "C"), progress)
    if for_victims:
        networks = Networks(session.graph, session.shelf, torch.device(request.device))
        attacks = session.request.attacks
        challenge = export_for_victims(
            suite, store, networks, attacks, out, licence=licence, progress=progress
        )
    else:
        challenge = export_for_attacks(suite, store, out, licence=licence, progress=progress)
    export_set(suite, theirs, out / TRAINING, told=TOLD, progress=progress)
    for path in (*(out / TRAINING).rglob("*"), out / TRAINING, out):
        os.utime(path, (FILE_TIME_S, FILE_TIME_S))
    return challenge


def export_for_attacks(
    suite: Suite,
    store: Store,
    out: Path,
    *,
    licence: str = LICENCE,
    progress: Progress | None = None,
) -> Challenge:
    """Write Set-C of a suite for makers of attacks.

    Raises:
        CamobenchError: If `out` holds anything else, or the disk is full.
    """
    challenge = open_challenge(store, suite.card, "attacks")
    names = suite.manifest("C")["image_id"]
    mapping = challenge.mapping(Asked(image_id=name) for name in names)
    place = {name: index for index, name in enumerate(names)}
    images = suite.images("C")

    def make(missing: Mapping[str, Asked]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        for opaque, asked in missing.items():
            yield opaque, images[place[asked.image_id]]

    _write(suite, challenge, mapping, out, make, licence, progress or Silent())
    return challenge


def victims_content(networks: Networks, attacks: Iterable[str]) -> dict[str, Json]:
    """What shapes a challenge for makers of victims: its attacks by name, with key and digest."""
    keys = networks.graph.attacks
    return {n: {"key": keys[n], "digest": networks.attack_digest(n)} for n in sorted(attacks)}


def export_for_victims(
    suite: Suite,
    store: Store,
    networks: Networks,
    attacks: Iterable[str],
    out: Path,
    *,
    licence: str = LICENCE,
    progress: Progress | None = None,
) -> Challenge:
    """Write the images of some attacks, for makers of victims.

    Args:
        suite: With Set-C.
        store: Keeps the challenge's secret, and the images that a run has kept.
        networks: Hold the attacks, trained.
        attacks: By name; the originals are among them as what `identity` leaves.
        out: The folder.
        licence: Goes out with the images.
        progress: Told of every image.

    Raises:
        CamobenchError: If an attack is not trained, `out` holds anything else, or the disk is full.
    """
    content = victims_content(networks, attacks)
    challenge = open_challenge(store, suite.card, "victims", content)
    wanted = asked_of_victims(suite, content)
    mapping = challenge.mapping(wanted)

    def make(missing: Mapping[str, Asked]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        for name in content:
            mine = {one: asked for one, asked in missing.items() if asked.attack == name}
            if mine:
                yield from anonymised(suite, store, networks, name, mine)

    _write(suite, challenge, mapping, out, make, licence, progress or Silent())
    return challenge


def _write(
    suite: Suite,
    challenge: Challenge,
    mapping: Mapping[str, Asked],
    out: Path,
    make: Maker,
    licence: str,
    progress: Progress,
) -> None:
    record = manifest(challenge, suite.card, mapping, licence)
    require_same_challenge(out, record)
    write_json(out / MANIFEST, record)  # first: it says whose folder this is
    told = instructions(challenge.audience, suite.card, len(mapping))
    write_text(out / README, readme(challenge, suite.card, told, licence))
    images, unfinished = out / IMAGES, out / UNFINISHED
    with explaining_full_disk(out):
        images.mkdir(exist_ok=True)
        unfinished.mkdir(exist_ok=True)
        present = {path.name for folder in (images, unfinished) for path in folder.glob("*.png")}
        missing = {o: asked for o, asked in mapping.items() if f"{o}.png" not in present}
        progress.start(
            f"challenge {challenge.key}: images", len(mapping), len(mapping) - len(missing)
        )
        for opaque, pixels in make(missing):
            save_png(unfinished / f"{opaque}.png", pixels)
            progress.advance()
        for path in sorted(unfinished.glob("*.png")):
            _create(images / path.name, path, out / ".part")
        shutil.rmtree(unfinished)
        for path in (out / MANIFEST, out / README, images, out):
            os.utime(path, (FILE_TIME_S, FILE_TIME_S))
    progress.finish()
    lost = [one for one in mapping if not (images / f"{one}.png").is_file()]
    if lost:
        raise CamobenchError(f"{len(lost)} images vanished from {images}; run the same again")


def _create(path: Path, finished: Path, temporary: Path) -> None:
    """Copy a file, for a renamed one keeps the inode and the birth time of when it was made."""
    shutil.copyfile(finished, temporary)
    os.utime(temporary, (FILE_TIME_S, FILE_TIME_S))
    os.replace(temporary, path)


def save_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write (3, H, W) pixels as a PNG without any metadata, in one step."""
    temporary = path.with_suffix(".part")
    Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(temporary, "PNG")
    os.replace(temporary, path)
