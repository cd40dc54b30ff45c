"""Look at every file of a folder of photographs before any is used.

Each file is read once, so that all unusable files are reported together.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NoReturn

from bench.data import ImageError, measure_rgb
from bench.processes import in_order
from bench.suites.photographs.camera_names import contradictions, one_spelling, plain_shot
from bench.suites.photographs.jpeg_header import read_camera
from bench.suites.photographs.layouts import DRESDEN, Layout, PhotoName
from bench.types import SILENT, CamobenchError, Progress, tracked
from bench.wording import listed

IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".tif", ".tiff"),
    *(".webp", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".bmp", ".gif"),
)
"""Of what a photograph may be kept in; the second line is refused when read, not passed over."""
_SYSTEM = {"lost+found", "System Volume Information", "$RECYCLE.BIN", "__MACOSX", "@eaDir"}
_LISTED = 5  # unusable files named in a message
_THREADS = 4


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A usable photograph.

    Attributes:
        path: Relative to the folder.
        device: One physical camera, unique in the folder: "MODEL/DEVICE".
        shot: Puts the photographs of a device in order.
        stated: The camera that EXIF names, or else a file name that reads as a Dresden name.
        body: Serial number of the camera that EXIF names.
    """

    path: PurePosixPath
    model: str
    device: str
    shot: str
    scene: str | None
    sha256: str
    width: int
    height: int
    stated: str = ""
    body: str | None = None


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What a folder holds.

    Attributes:
        layout: How its files are named.
        photos: The usable photographs, each once, in the order of their paths.
        files: Path and SHA-256 of every image file that can be used.
        copies: Files left out because an earlier one has the same bytes.
        notes: What a suite of these photographs says of them.
    """

    layout: Layout
    photos: tuple[Photo, ...]
    files: tuple[tuple[str, str], ...]
    copies: tuple[PurePosixPath, ...]
    notes: tuple[str, ...]


def list_images(root: Path) -> list[PurePosixPath]:
    """Image files below `root` in the order of their paths; hidden ones are passed over.

    Raises:
        CamobenchError: If there is no such folder, no image in it, or a part of it is not there.
    """
    if not root.is_dir():
        raise CamobenchError(f"no folder {root}; check the path")
    files = []
    for folder, below, names in os.walk(root, onerror=_refuse, followlinks=True):
        below[:] = [name for name in below if not is_hidden(name)]
        files += [Path(folder, name) for name in names if not is_hidden(name)]
    if lost := [str(file) for file in files if not file.is_file()]:
        raise CamobenchError(
            f"no files, or links that lead nowhere: {listed(lost)}; attach the medium, or remove "
            "them"
        )
    images = sorted(
        PurePosixPath(file.relative_to(root).as_posix())
        for file in files
        if file.suffix.lower() in IMAGE_SUFFIXES
    )
    if not images:
        raise CamobenchError(f"no image (jpg, png, tif) in {root}; check the path")
    return images


def is_hidden(name: str) -> bool:
    """Whether a file or folder is kept from people, or a system's beside their own."""
    return name.startswith(".") or name in _SYSTEM


def _refuse(error: OSError) -> NoReturn:
    raise CamobenchError(
        f"the folder {error.filename} cannot be read ({error.strerror}): make it readable, or "
        "point to a folder that does not hold it"
    ) from error


def scan(
    root: Path,
    names: Mapping[PurePosixPath, PhotoName | None],
    layout: Layout,
    image_px: int,
    *,
    skip_bad: bool = False,
    remedy: str = "--skip-bad (`skip_bad=True`)",
    progress: Progress = SILENT,
) -> Scan:
    """Read files below `root`, whose names say `names`, in the order of `list_images`.

    Each photograph must hold a square of side `image_px`. With `skip_bad` unusable files are left
    out; `remedy` is how the user asks for that.

    Raises:
        ImageError: If files are unusable; counts them and names the first few.
        CamobenchError: If none is left.
    """
    known = [name for name in names.values() if name]
    models = one_spelling(name.model for name in known)
    devices = one_spelling(f"{models[name.model]}/{name.device}" for name in known)

    def look(path: PurePosixPath) -> Photo | str:
        """The photograph, or why a file is none."""
        try:
            data = (root / path).read_bytes()
        except OSError as error:
            return f"{path}: cannot be read ({error.strerror})"
        if (name := names[path]) is None:
            return f"{path}: does not read as {layout.pattern}"
        try:
            width, height = measure_rgb(data, path.as_posix())
        except ImageError as error:
            return str(error)
        if min(width, height) < image_px:
            return (
                f"{path}: {width} x {height} pixels is smaller than the crop of "
                f"{image_px} x {image_px}; choose a smaller --image-px (`image_px`)"
            )
        written, (camera, serial) = DRESDEN.photo(path), read_camera(data)
        return Photo(
            path=path,
            model=models[name.model],
            device=devices[f"{models[name.model]}/{name.device}"],
            shot=name.shot,
            scene=name.scene,
            sha256=hashlib.sha256(data).hexdigest(),
            width=width,
            height=height,
            stated=camera or (written.model if written else ""),
            body=serial,
        )

    taken = in_order(ThreadPoolExecutor(_THREADS), look, names, 2 * _THREADS)
    looks = [one for _, one in zip(tracked(names, f"reading {root}", progress), taken, strict=True)]
    usable = [photo for photo in looks if isinstance(photo, Photo)]
    photos, copies, again = _each_once(usable)
    bad = [fault for fault in looks if isinstance(fault, str)] + again
    if bad and not skip_bad:
        more = f"\n  and {len(bad) - _LISTED} more" if len(bad) > _LISTED else ""
        lines = "".join(f"\n  {line}" for line in bad[:_LISTED])
        raise ImageError(
            f"{len(bad)} of {len(names)} image files in {root} cannot be used:{lines}{more}\n"
            f"mend or remove them, or leave them out with {remedy}"
        )
    if not photos:
        raise CamobenchError(f"no usable photograph in {root}: {listed(bad, 3)}")
    counts = {"unusable files": len(bad), "exact copies of other files": len(copies)}
    notes = [f"{count} {what} left out" for what, count in counts.items() if count]
    for what, spelling in (("camera model", models), ("device", devices)):
        for ways in _several((meant, name) for name, meant in spelling.items()):
            notes.append(f"one {what} spelled in {len(ways)} ways: {listed(ways)}")
    if contrary := contradictions((photo.model, photo.stated) for photo in photos):
        notes.append(f"WARNING, EXIF or file names contradict the folders: {listed(contrary)}")
    # Some makers write one serial number into all cameras of a model.
    shared = _several(((photo.model, photo.body), photo.device) for photo in photos if photo.body)
    if shared:
        told = listed(sorted(map(" and ".join, shared)))
        notes.append(f"WARNING, one camera by EXIF's serial numbers: {told}")
    return Scan(
        layout=layout,
        photos=tuple(photos),
        files=tuple((photo.path.as_posix(), photo.sha256) for photo in usable),
        copies=tuple(copies),
        notes=tuple(notes),
    )


def _several(pairs: Iterable[tuple[object, str]]) -> list[list[str]]:
    """The names of each thing that has several, from pairs of a thing and a name of it."""
    names: dict[object, set[str]] = defaultdict(set)
    for thing, name in pairs:
        names[thing].add(name)
    return [sorted(some) for some in names.values() if len(some) > 1]


def _each_once(photos: list[Photo]) -> tuple[list[Photo], list[PurePosixPath], list[str]]:
    """Keep the first of files with the same bytes, and of a device's files one of each shot.

    Other files of a shot are it again, saved or worked on anew.

    Returns:
        The photographs; exact copies; what makes others unusable, such as bytes of two models.
    """
    first: dict[str, Photo] = {}
    copies, bad, dropped = [], [], set()
    for photo in photos:
        kept = first.setdefault(photo.sha256, photo)
        if kept.model != photo.model and kept not in dropped:
            bad.append(f"{kept.path}: the same bytes as {photo.path}, of another camera model")
            dropped.add(kept)
        elif kept is not photo:
            copies.append(photo.path)
    shots: dict[tuple[str, str], Photo] = {}
    unique = [photo for photo in first.values() if photo not in dropped]
    for photo in sorted(unique, key=lambda photo: (len(photo.shot), photo.path)):
        kept = shots.setdefault((photo.device, plain_shot(photo.shot)), photo)
        if kept is not photo:
            bad.append(
                f"{photo.path}: by its name the same shot as {kept.path}, which could be in "
                "another set; keep one of them"
            )
            dropped.add(photo)
    return [photo for photo in unique if photo not in dropped], copies, bad
