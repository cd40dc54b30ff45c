"""Checks a folder or zip of anonymised images, all of it, before anything is scored.

A file is named `IMAGEID__TARGET.png`, or `IMAGEID.png` of an untargeted method. What is said of it
never depends on a source label, so that the table can go back to whoever sent the images. Pixels
are compared by digest: only what is the same in every pixel is found.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from bench.challenge.answer_files import DAMAGED, AnswerFile, AnswerFiles
from bench.challenge.findings import Findings, Kind, RefusedError
from bench.challenge.ids import BETWEEN, MANIFEST, README
from bench.data.errors import DamagedError, UnusableError
from bench.data.formats import opened, pixels_of
from bench.data.png import SIGNATURE, read_png_header
from bench.metrics.suspicions import LOOKED_AT, suspect_images
from bench.processes import cpu_count
from bench.suites.photographs.scan import IMAGE_SUFFIXES, is_hidden
from bench.types import SILENT, Progress, tracked

Place: TypeAlias = tuple[str, str | None]
"""Opaque id and target of one anonymised image."""
SURPLUS = Kind("surplus file", "note", "ignored; if it is an answer, name it as the README says")
MISNAMED = Kind(
    "file named almost as asked", "error", "name it IMAGEID__TARGET.png, or IMAGEID.png"
)
SUFFIX = ".png"
JUNK = {"thumbs.db", "desktop.ini", MANIFEST, README.lower()}
"""What file managers leave behind, and what we sent ourselves."""
_ID = re.compile(r"(?=(c[0-9a-f]{16}))")  # as `Challenge.opaque` makes it
_normal = partial(unicodedata.normalize, "NFC")  # archives of some systems hold decomposed letters
LOWEST_PSNR_DB = 10
TWICE = Kind("file there twice", "error", "send one file an image and target")
NOT_PNG = Kind("not a PNG", "error", "save as PNG, which loses nothing")
SIZE = Kind("wrong size", "error", "keep the size of the image you were given")
NOT_RGB = Kind("not 8-bit RGB", "error", "save as RGB without alpha, rounded to 8 bits yourself")
MIXED = Kind("named with and without target", "error", "name all files of a method alike")
PHOTOGRAPH = Kind(
    "another photograph of the challenge", "error", "send what the method makes of it"
)
SAME = Kind("one image under several ids", "error", "send what the method makes of each of them")
NO_IMAGE = Kind("image missing", "partial", "send what answers this id")
NO_TARGET = Kind("target missing", "partial", "send IMAGEID__TARGET.png")
BESIDE = Kind("original beside targeted files", "note", "ignored")
COPY = Kind("copy of its original", "note", "none; it is scored as it is")
DISTANT = Kind(
    f"PSNR below {LOWEST_PSNR_DB} dB", "note", "see whether ids were swapped; scored as is"
)
ODD = Kind("odd pictures", "note", "see how they were saved; they are scored as they are")


@dataclass(frozen=True, kw_only=True)
class CheckedImage:
    """One file that was decoded.

    Attributes:
        sha256: Of its bytes, so that what is scored is what was checked.
        psnr_db: Against the original; infinite where it is a copy.
    """

    file: AnswerFile
    sha256: str
    pixels_sha256: str
    psnr_db: float

    @property
    def is_copy(self) -> bool:
        """Whether it equals its original in every pixel."""
        return self.psnr_db == float("inf")


@dataclass(kw_only=True)
class CheckedImages:
    """What came back, and what is wrong with it.

    Attributes:
        images: The usable ones.
        wanted: Number of files that would be complete.
    """

    targeted: bool
    wanted: int
    images: dict[Place, CheckedImage] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)

    @property
    def copies(self) -> int:
        """Outputs that equal their original in every pixel."""
        return sum(image.is_copy for image in self.images.values())

    @property
    def summary(self) -> str:
        """One line."""
        method = "a targeted" if self.targeted else "an untargeted"
        return f"{len(self.images)} of {self.wanted} files of {method} method"


def check_images(
    files: AnswerFiles,
    originals: Mapping[str, NDArray[np.uint8]],
    targets: Sequence[str],
    progress: Progress = SILENT,
) -> CheckedImages:
    """Check every file against the originals, (3, H, W) pixels by the challenge's id."""
    findings = files.findings
    named = _by_place(files, originals.keys(), targets)
    targeted = 2 * sum(target is not None for _, target in named) >= len(named) > 0
    wanted: Sequence[str | None] = targets if targeted else (None,)
    checked = CheckedImages(
        targeted=targeted, wanted=len(originals) * len(wanted), findings=findings
    )

    def check(place: Place) -> CheckedImage | RefusedError:
        try:
            return _check(files, named[place], originals[place[0]])
        except RefusedError as error:
            return error

    with ThreadPoolExecutor(cpu_count()) as pool:
        digests = dict(zip(originals, pool.map(_digest, originals.values()), strict=True))
        places = tracked(named, f"checking {files.place.name}", progress)
        for place, found in zip(places, pool.map(check, named), strict=True):
            stray, shown = (place[1] is not None) != targeted, named[place][0].shown
            if isinstance(found, RefusedError):
                findings.add(found.kind, f"{shown}: {found.detail}")
            if stray:
                left = targeted and isinstance(found, CheckedImage) and found.is_copy
                findings.add(BESIDE if left else MIXED, shown)
            elif isinstance(found, CheckedImage):
                checked.images[place] = found
    _refuse_swapped(checked, digests)
    for image in checked.images.values():
        if image.is_copy:
            findings.add(COPY, image.file.shown)
        if image.psnr_db < LOWEST_PSNR_DB:
            findings.add(DISTANT, f"{image.file.shown}: {image.psnr_db:.1f} dB")
    first = list(checked.images)[:LOOKED_AT]
    if first:
        before = np.stack([originals[opaque] for opaque, _ in first])
        sent = (files.read(checked.images[place].file) for place in first)
        after = np.stack([decode(data, before.shape[-1]) for data in sent])
        for odd in suspect_images(torch.from_numpy(before), torch.from_numpy(after)):
            findings.add(ODD, odd.finding)
    for opaque in originals:
        lacking = [target for target in wanted if (opaque, target) not in named]
        if len(lacking) == len(wanted):
            findings.add(NO_IMAGE, opaque)
        else:
            for target in lacking:
                findings.add(NO_TARGET, f"{opaque} to {target}")
    return checked


def parse_name(name: str, ids: Set[str], targets: Collection[str]) -> Place:
    """Id and target of a file name; id and suffix in any case, for some file systems change it.

    Raises:
        RefusedError: If it tells no image; `MISNAMED` if it is an image's all the same and holds an
            id, `SURPLUS` if it was not meant as an answer.
    """
    name, classes = _normal(name), {_normal(one): one for one in targets}
    stem, dot, suffix = name.rpartition(".")
    opaque, between, target = stem.partition(BETWEEN)
    is_png, is_known = f"{dot}{suffix}".lower() == SUFFIX, opaque.lower() in ids
    if is_png and is_known and (not between or target in classes):
        return opaque.lower(), classes[target] if between else None
    if not name.lower().endswith(IMAGE_SUFFIXES) or ids.isdisjoint(_ID.findall(name.lower())):
        raise RefusedError(SURPLUS, "no such id" if is_png else f"not named {SUFFIX}")
    if is_png and is_known:
        raise RefusedError(MISNAMED, "no such target")
    raise RefusedError(MISNAMED, f"not IMAGEID{BETWEEN}TARGET{SUFFIX}")


def is_junk(path: str) -> bool:
    """Whether a file is what file managers and archivers leave, or what we sent ourselves."""
    parts = PurePosixPath(path).parts
    return not parts or any(map(is_hidden, parts)) or parts[-1].lower() in JUNK


def decode(data: bytes, side: int) -> NDArray[np.uint8]:
    """Decode a whole PNG of 8-bit RGB into (3, side, side); nothing larger is inflated.

    Raises:
        RefusedError: If it is anything else; says what.
    """
    if not data.startswith(SIGNATURE):
        raise RefusedError(NOT_PNG, "another format" if data else "0 bytes")
    try:
        header = read_png_header(data)
        if (header.width, header.height) != (side, side):
            found = f"{header.width} x {header.height}"
            raise RefusedError(SIZE, f"{found}, expected {side} x {side}")
        with opened(data) as image:
            return pixels_of(image)
    except DamagedError as error:
        raise RefusedError(DAMAGED, error.fault) from error
    except UnusableError as error:
        raise RefusedError(NOT_RGB, error.fault) from error


def _by_place(
    files: AnswerFiles, ids: Set[str], targets: Sequence[str]
) -> Mapping[Place, list[AnswerFile]]:
    """The files whose names are wanted."""
    found: dict[Place, list[AnswerFile]] = defaultdict(list)
    for file in files.files:
        try:
            if not is_junk(file.path):
                found[parse_name(PurePosixPath(file.path).name, ids, targets)].append(file)
        except RefusedError as error:
            files.findings.add(error.kind, f"{file.shown}: {error.detail}")
    return found


def _check(
    files: AnswerFiles, same: Sequence[AnswerFile], original: NDArray[np.uint8]
) -> CheckedImage:
    if len(same) > 1:
        raise RefusedError(TWICE, f"and {' and '.join(file.shown for file in same[1:])}")
    data = files.read(same[0])
    pixels = decode(data, original.shape[-1])
    error_255 = float(np.mean(np.square(pixels.astype(np.float32) - original)))
    return CheckedImage(
        file=same[0],
        sha256=hashlib.sha256(data).hexdigest(),
        pixels_sha256=_digest(pixels),
        psnr_db=10 * float(np.log10(255**2 / error_255)) if error_255 else float("inf"),
    )


def _refuse_swapped(checked: CheckedImages, originals: dict[str, str]) -> None:
    """Leave out files that show an original of another id, or the same under several ids.

    Ids whose originals, known by their digests, are the same may well have the same answer.
    """
    photographs = {pixels: opaque for opaque, pixels in reversed(originals.items())}
    groups: dict[str, list[Place]] = defaultdict(list)
    for place in sorted(checked.images, key=lambda one: checked.images[one].file.shown):
        groups[checked.images[place].pixels_sha256].append(place)
    for pixels, places in groups.items():
        several = len({originals[opaque] for opaque, _ in places}) > 1
        first = checked.images[places[0]].file.shown
        for number, place in enumerate(places):
            image = checked.images[place]
            if pixels in photographs and not image.is_copy:
                example = f"{image.file.shown} is {photographs[pixels]}.png"
                checked.findings.add(PHOTOGRAPH, example)
            elif not several or pixels in photographs:
                continue
            elif number:
                checked.findings.add(SAME, f"{image.file.shown} = {first}")
            del checked.images[place]


def _digest(pixels: NDArray[np.uint8]) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest()
