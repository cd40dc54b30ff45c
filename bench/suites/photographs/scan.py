"""Look at every file of a folder of photographs before any is used.

Each file is read once, for its SHA-256, its size, and whether it is whole, so that all unusable
files are reported together.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bench.data import ImageError, measure_rgb
from bench.suites.layouts.camera_names import one_spelling
from bench.suites.layouts.data_sets import DRESDEN
from bench.suites.layouts.folder_names import plain_shot
from bench.suites.layouts.jpeg_header import read_camera
from bench.suites.layouts.naming import Layout, Photo, is_image
from bench.types import CamobenchError, Progress, Silent

_LISTED = 5  # unusable files named in a message


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What a folder holds.

    Attributes:
        photos: The usable photographs, each once, in the order of their paths.
        files: Path and SHA-256 of every image file, unusable ones included.
        unusable: Why, for each file left out.
        copies: Files left out because an earlier one has the same bytes.
        spellings: Which camera models were spelled in several ways.
    """

    photos: tuple[Photo, ...]
    files: tuple[tuple[str, str], ...]
    unusable: tuple[str, ...]
    copies: tuple[PurePosixPath, ...]
    spellings: tuple[str, ...] = ()


def list_images(root: Path) -> list[PurePosixPath]:
    """Image files below `root` in the order of their paths; hidden ones are passed over.

    Raises:
        CamobenchError: If there is no such folder, or no image in it.
    """
    if not root.is_dir():
        raise CamobenchError(f"no folder {root}; check the path")
    found = sorted(PurePosixPath(file.relative_to(root).as_posix()) for file in _files(root))
    images = [path for path in found if is_image(path)]
    if not images:
        raise CamobenchError(f"no image (jpg, png, tif) in {root}; check the path")
    return images


def _files(root: Path) -> Iterator[Path]:
    """Walk the folders below `root`, through links too, but not in circles."""
    for folder, below, names in os.walk(root, followlinks=True):
        here = Path(folder).resolve()
        below[:] = [
            name
            for name in below
            if not name.startswith(".") and not here.is_relative_to((here / name).resolve())
        ]
        yield from (Path(folder, name) for name in names if not name.startswith("."))


def scan(
    root: Path,
    paths: list[PurePosixPath],
    layout: Layout,
    image_px: int,
    *,
    skip_bad: bool = False,
    remedy: str = "--skip-bad (`skip_bad=True`)",
    progress: Progress | None = None,
) -> Scan:
    """Read the files at `paths` below `root`.

    Args:
        root: The folder.
        paths: As `list_images` gives them.
        layout: How the names read.
        image_px: Side of the square that each photograph must hold.
        skip_bad: Leave unusable files out instead of refusing.
        remedy: How the user asks for that.
        progress: Told of each file.

    Raises:
        ImageError: If files are unusable; counts them and names the first few.
    """
    progress = progress or Silent()
    photos: list[Photo] = []
    files: list[tuple[str, str]] = []
    bad: list[str] = []
    progress.start(f"reading {root}", len(paths))
    pool = ThreadPoolExecutor(max_workers=4)
    try:
        looks = pool.map(lambda path: _look(root, path, layout, image_px), paths)
        for path, (sha256, found) in zip(paths, looks, strict=True):
            files.append((path.as_posix(), sha256))
            if isinstance(found, Photo):
                photos.append(found)
            else:
                bad.append(found)
            progress.advance()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    progress.finish()
    photos, spellings = one_spelling(photos)
    unique, copies, conflicts = _without_copies(photos)
    unique, again = _without_versions(unique)
    bad += conflicts + again
    if bad and not skip_bad:
        more = f"\n  and {len(bad) - _LISTED} more" if len(bad) > _LISTED else ""
        listed = "".join(f"\n  {line}" for line in bad[:_LISTED])
        raise ImageError(
            f"{len(bad)} of {len(paths)} image files in {root} cannot be used:{listed}{more}\n"
            f"mend or remove them, or leave them out with {remedy}"
        )
    return Scan(
        photos=tuple(unique),
        files=tuple(files),
        unusable=tuple(bad),
        copies=tuple(copies),
        spellings=tuple(spellings),
    )


def _look(
    root: Path, path: PurePosixPath, layout: Layout, image_px: int
) -> tuple[str, Photo | str]:
    """Return a file's SHA-256 and either the photograph or why it is none."""
    try:
        data = (root / path).read_bytes()
    except OSError as error:
        return "", f"{path}: cannot be read ({error.strerror})"
    sha256 = hashlib.sha256(data).hexdigest()
    name = layout.parse(path)
    if name is None:
        return sha256, f"{path}: does not read as {layout.pattern}"
    try:
        width, height = measure_rgb(data, path.as_posix())
    except ImageError as error:
        return sha256, str(error)
    if min(width, height) < image_px:
        return sha256, (
            f"{path}: {width} x {height} pixels is smaller than the crop of "
            f"{image_px} x {image_px}; choose a smaller --image-px (`image_px`)"
        )
    written = DRESDEN.parse(path)
    return sha256, Photo(
        path=path,
        model=name.model,
        device=f"{name.model}/{name.device}",
        shot=name.shot,
        scene=name.scene,
        sha256=sha256,
        width=width,
        height=height,
        stated=read_camera(data) or (written.model if written else None),
    )


def _without_copies(
    photos: list[Photo],
) -> tuple[list[Photo], list[PurePosixPath], list[str]]:
    """Keep the first of files with the same bytes; none if they claim different models."""
    same: dict[str, list[Photo]] = defaultdict(list)
    for photo in photos:
        same[photo.sha256].append(photo)
    unique, copies, conflicts = [], [], []
    for group in same.values():
        first, *rest = group
        others = [photo for photo in rest if photo.model != first.model]
        if others:
            conflicts.append(
                f"{first.path}: the same bytes as {others[0].path}, of another camera model"
            )
        else:
            unique.append(first)
            copies += [photo.path for photo in rest]
    return unique, copies, conflicts


def _without_versions(photos: list[Photo]) -> tuple[list[Photo], list[str]]:
    """Keep one file of each shot of a device: others are it again, saved or worked on anew."""
    first: dict[tuple[str, str], Photo] = {}
    again = []
    for photo in sorted(photos, key=lambda photo: (len(photo.shot), photo.path)):
        kept = first.setdefault((photo.device, plain_shot(photo.shot)), photo)
        if kept is not photo:
            again.append(
                f"{photo.path}: by its name the same shot as {kept.path}, which could be in "
                "another set; keep one of them"
            )
    kept_paths = {photo.path for photo in first.values()}
    return [photo for photo in photos if photo.path in kept_paths], again
