"""What the pixels of an answer say that its file names do not: copies, swaps, another image.

Pixels are compared by digest, so only what is the same in every pixel is found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench.runner.challenge.members import Member, Members
from bench.runner.challenge.png import RefusedError, decode
from bench.runner.challenge.problems import Kind, Problems, printable

Place: TypeAlias = tuple[str, str | None]
"""Opaque id and target of one anonymised image."""

MIXED = Kind(
    name="named with and without target",
    gravity="error",
    remedy="name all files of a method alike: IMAGEID__TARGET.png, or IMAGEID.png",
)
BESIDE = Kind(name="original beside targeted files", gravity="note", remedy="ignored")
PHOTOGRAPH = Kind(
    name="another photograph of the challenge",
    gravity="error",
    remedy="send what the method makes of the image with this id",
)
SAME = Kind(
    name="one image under several ids",
    gravity="error",
    remedy="send what the method makes of the image with each id",
)
COPY = Kind(name="copy of its original", gravity="note", remedy="none; it is scored as it is")
ALIKE = Kind(
    name="same output for several targets", gravity="note", remedy="none; it is scored as it is"
)
LOWEST_PSNR_DB = 10
STRANGE = Kind(
    name="not the picture that it seems",
    gravity="note",
    remedy="see how the files were written; it is scored as it is",
)
DISTANT = Kind(
    name=f"PSNR below {LOWEST_PSNR_DB} dB",
    gravity="note",
    remedy="see whether ids were swapped; it is scored as it is",
)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One usable file.

    Attributes:
        member: Where it is.
        sha256: Of its bytes, so that what is scored is what was checked.
    """

    member: Member
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Looked:
    """One decoded file.

    Attributes:
        pixels: Digest of them.
        copied: They are those of the original.
        psnr_db: Against the original.
    """

    sent: Sent
    pixels: str
    copied: bool
    psnr_db: float

    @property
    def path(self) -> str:
        """For people."""
        return printable(self.sent.member.path)


def digest_of(pixels: NDArray[np.uint8]) -> str:
    """By which images are compared."""
    return hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest()


def look(members: Members, member: Member, original: NDArray[np.uint8]) -> Looked | RefusedError:
    """Decode one file; says why where it cannot be used."""
    try:
        data = members.read(member)
        pixels = decode(data, original.shape[-1])
    except RefusedError as error:
        return error
    error_255 = float(np.mean(np.square(pixels.astype(np.float32) - original)))
    return Looked(
        sent=Sent(member=member, sha256=hashlib.sha256(data).hexdigest()),
        pixels=digest_of(pixels),
        copied=error_255 == 0,
        psnr_db=10 * float(np.log10(255**2 / error_255)) if error_255 else float("inf"),
    )


def strays(
    looked: Mapping[Place, Looked],
    paths: Mapping[Place, str],
    problems: Problems,
    *,
    targeted: bool,
) -> Iterator[Place]:
    """Files named as those of the other kind of method; originals that lie there are only noted.

    Args:
        looked: The decoded files.
        paths: Of all files, usable or not.
        problems: Told of them.
        targeted: Whether the method is.
    """
    alike = min((p for place, p in paths.items() if _fits(place, targeted)), default="")
    for place, path in paths.items():
        if _fits(place, targeted):
            continue
        found = looked.get(place)
        if targeted and found is not None and found.copied:
            problems.add(BESIDE, path)
        else:
            problems.add(MIXED, f"{path} beside {alike}")
        yield place


def swapped(
    looked: Mapping[Place, Looked], photographs: Mapping[str, str], problems: Problems
) -> Iterator[Place]:
    """Files that show an original of another id, or the same under several ids.

    Ids whose originals are the same may well have the same answer.

    Args:
        looked: The decoded files.
        photographs: Digest of each id's original.
        problems: Told of them.
    """
    shown: dict[str, str] = {}
    for opaque, pixels in photographs.items():
        shown.setdefault(pixels, opaque)
    groups: dict[str, list[Place]] = {}
    for place, found in looked.items():
        other = shown.get(found.pixels)
        if found.copied or other is None:
            groups.setdefault(found.pixels, []).append(place)
        else:
            problems.add(PHOTOGRAPH, f"{found.path} is {other}.png")
            yield place
    for places in groups.values():
        if len({photographs[opaque] for opaque, _ in places}) > 1:
            first, *others = sorted(places, key=lambda place: looked[place].path)
            for place in others:
                problems.add(SAME, f"{looked[place].path} = {looked[first].path}")
            yield from places


def note_likeness(looked: Mapping[Place, Looked], problems: Problems, *, targeted: bool) -> int:
    """Note what is odd but scored; returns how many files are copies of their originals."""
    by_image: dict[tuple[str, str], list[str]] = {}
    for (opaque, _), found in looked.items():
        by_image.setdefault((opaque, found.pixels), []).append(found.path)
        if found.copied:
            problems.add(COPY, found.path)
        if found.psnr_db < LOWEST_PSNR_DB:
            problems.add(DISTANT, f"{found.path}: {found.psnr_db:.1f} dB")
    for paths in by_image.values():
        if targeted and len(paths) > 1:
            problems.add(ALIKE, " = ".join(sorted(paths)[:3]))
    return sum(found.copied for found in looked.values())


def _fits(place: Place, targeted: bool) -> bool:
    return (place[1] is not None) == targeted
