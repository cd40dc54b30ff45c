"""Checks a folder or zip of anonymised images, all of it, before anything is scored.

What it says never depends on a source label, so that its table can go back to whoever sent the
images.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from bench.metrics.suspicions import LOOKED_AT, suspect_images
from bench.processes import cpu_count
from bench.runner.challenge.ids import Asked
from bench.runner.challenge.looking import (
    STRANGE,
    Looked,
    Place,
    Sent,
    digest_of,
    look,
    note_likeness,
    strays,
    swapped,
)
from bench.runner.challenge.members import Limits, Member, Members
from bench.runner.challenge.naming import Names, Unread, is_junk
from bench.runner.challenge.png import RefusedError, decode, most_bytes
from bench.runner.challenge.problems import Kind, Problems, printable
from bench.types import Progress, Silent

TWICE = Kind(name="file there twice", gravity="error", remedy="send one file an image and target")
SURPLUS = Kind(
    name="surplus file",
    gravity="note",
    remedy="ignored; if it is an answer, name it as the README says",
)
MISNAMED = Kind(
    name="file named almost as asked",
    gravity="error",
    remedy="name it IMAGEID__TARGET.png, or IMAGEID.png of an untargeted method",
)
NO_IMAGE = Kind(name="image missing", gravity="partial", remedy="send what answers this id")
NO_TARGET = Kind(name="target missing", gravity="partial", remedy="send IMAGEID__TARGET.png")
CHUNK = 64


@dataclass(kw_only=True)
class Intake:
    """What came back, and what is wrong with it.

    Attributes:
        targeted: Whether files name a target.
        files: The usable ones.
        refused: Places of files that cannot be used.
        wanted: Number of files that would be complete.
        copies: Outputs that equal their original in every pixel.
    """

    targeted: bool
    files: dict[Place, Sent] = field(default_factory=dict)
    refused: set[Place] = field(default_factory=set)
    wanted: int = 0
    problems: Problems = field(default_factory=Problems)
    copies: int = 0

    @property
    def summary(self) -> str:
        """One line."""
        method = "a targeted" if self.targeted else "an untargeted"
        return f"{len(self.files)} of {self.wanted} files of {method} method"


def limits(images: int, targets: int, side: int) -> Limits:
    """What is read at most of an answer to so many images: twice the wanted files."""
    return Limits(file_bytes=most_bytes(side), files=2 * images * (targets + 1) + 1000)


def check_images(
    members: Members,
    mapping: Mapping[str, Asked],
    originals: Mapping[str, NDArray[np.uint8]],
    targets: Sequence[str],
    progress: Progress | None = None,
) -> Intake:
    """Check every file.

    Args:
        members: Of the folder or archive.
        mapping: What each id stands for.
        originals: (3, H, W) pixels by the suite's image id.
        targets: Classes of the suite.
        progress: Told of every file.
    """
    progress = progress or Silent()
    problems = Problems()
    problems.merge(members.problems)
    named, twice = _named(members, Names(mapping, targets), problems)
    places = [*named, *twice]
    targeted = 2 * sum(target is not None for _, target in places) >= len(places) > 0
    intake = Intake(targeted=targeted, problems=problems, refused=set(twice))
    intake.wanted = len(mapping) * (len(targets) if targeted else 1)
    progress.start(f"checking {members.place.name}", len(named))
    looked: dict[Place, Looked] = {}

    def open_one(pair: tuple[Place, Member]) -> Looked | RefusedError:
        (opaque, _), member = pair
        return look(members, member, originals[mapping[opaque].image_id])

    with ThreadPoolExecutor(cpu_count()) as pool:
        digests = pool.map(digest_of, (originals[asked.image_id] for asked in mapping.values()))
        photographs = dict(zip(mapping, digests, strict=True))
        for chunk in _chunks(list(named.items())):
            for (place, member), found in zip(chunk, pool.map(open_one, chunk), strict=True):
                if isinstance(found, RefusedError):
                    problems.add(found.kind, f"{printable(member.path)}: {found.detail}")
                    intake.refused.add(place)
                else:
                    looked[place] = found
            progress.advance(len(chunk))
    progress.finish()
    paths = {place: printable(member.path) for place, member in named.items()}
    intake.refused.update(strays(looked, paths, problems, targeted=targeted))
    looked = {place: found for place, found in looked.items() if place not in intake.refused}
    intake.refused.update(swapped(looked, photographs, problems))
    looked = {place: found for place, found in looked.items() if place not in intake.refused}
    intake.copies = note_likeness(looked, problems, targeted=targeted)
    intake.files = {place: found.sent for place, found in looked.items()}
    _note_suspicions(intake, members, mapping, originals)
    _note_missing(intake, mapping, targets)
    return intake


def _note_suspicions(
    intake: Intake,
    members: Members,
    mapping: Mapping[str, Asked],
    originals: Mapping[str, NDArray[np.uint8]],
) -> None:
    """Look at a few images of different ids together, for what most of them have in common."""
    chosen = {opaque: intake.files[opaque, target] for opaque, target in intake.files}
    some = dict(sorted(chosen.items(), key=lambda pair: pair[0])[:LOOKED_AT])
    if not some:
        return
    with suppress(RefusedError):  # it has changed meanwhile, which scoring finds
        before = np.stack([originals[mapping[opaque].image_id] for opaque in some])
        side = before.shape[-1]
        after = np.stack([decode(members.read(sent.member), side) for sent in some.values()])
        for one in suspect_images(torch.from_numpy(before), torch.from_numpy(after)):
            intake.problems.add(STRANGE, one.finding)


def _named(
    members: Members, names: Names, problems: Problems
) -> tuple[dict[Place, Member], dict[Place, list[str]]]:
    """The files whose names are wanted, and those of them that are there twice."""
    found: dict[Place, Member] = {}
    twice: dict[Place, list[str]] = {}
    for member in members:
        if is_junk(member.path):
            continue
        place = names.parse(member.name)
        if isinstance(place, Unread):
            kind = MISNAMED if place.meant else SURPLUS
            problems.add(kind, f"{printable(member.path)}: {place.why}")
        elif place in found:
            twice.setdefault(place, [found[place].path]).append(member.path)
        else:
            found[place] = member
    for place, paths in twice.items():
        del found[place]
        problems.add(TWICE, " and ".join(printable(path) for path in paths))
    return found, twice


def _note_missing(intake: Intake, mapping: Mapping[str, Asked], targets: Sequence[str]) -> None:
    """Name what nobody sent: an image without any file, or some of its targets."""
    wanted = targets if intake.targeted else (None,)
    there = intake.files.keys() | intake.refused
    for opaque in mapping:
        lacking = [target for target in wanted if (opaque, target) not in there]
        if len(lacking) == len(wanted):
            intake.problems.add(NO_IMAGE, opaque)
        else:
            for target in lacking:
                intake.problems.add(NO_TARGET, f"{opaque} to {target}")


def _chunks(pairs: Sequence[tuple[Place, Member]]) -> Iterator[Sequence[tuple[Place, Member]]]:
    for start in range(0, len(pairs), CHUNK):
        yield pairs[start : start + CHUNK]
