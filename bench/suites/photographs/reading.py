"""Read a folder of photographs of one's own: how it is laid out, and all that it holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from bench.suites.photographs.camera_names import require_models
from bench.suites.photographs.layouts import DRESDEN, TREE, detect_layout, get_layout
from bench.suites.photographs.scan import Scan, is_hidden, list_images, scan
from bench.types import SILENT, CamobenchError, Progress
from bench.wording import listed


def read_folder(
    root: Path,
    image_px: int,
    *,
    layout: str | None = None,
    skip_bad: bool = False,
    progress: Progress = SILENT,
) -> Scan:
    """Read every file of a folder.

    Args:
        root: The folder.
        image_px: Side of the square that each photograph must hold.
        layout: Name of how the files are named; by default found out, and doubted.
        skip_bad: Leave unusable files out instead of refusing the folder.
        progress: Told of each file.

    Raises:
        ImageError: If files cannot be used; counts them and names the first few.
        CamobenchError: If there is no such layout, or what the folder holds is no such thing.
    """
    paths = list_images(root)
    if layout is None:
        way = detect_layout(paths)
        if way in (TREE, DRESDEN):
            require_models(root, paths, way)
    else:
        way = get_layout(layout)
    read = {path: way.read(path) for path in paths}
    counts = Counter(kind for kind in read.values() if isinstance(kind, str))
    aside = " and ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    names = {path: name for path, name in read.items() if not isinstance(name, str)}
    if not names:
        raise CamobenchError(
            f"no photograph in {root}, only {aside}; expected files named {way.pattern}"
        )
    found = scan(root, names, way, image_px, skip_bad=skip_bad, progress=progress)
    notes = [f"{aside} left out"] if aside else []
    if way is TREE and (models := _empty(root, "*", found)):
        raise CamobenchError(
            f"no usable photograph in {', '.join(models)}: add photographs of that camera model to "
            f"{root}, or remove its folder"
        )
    if way is TREE and (devices := _empty(root, "*/*", found)):
        notes.append(f"no usable photograph in {listed(devices)}")
    if layout is None and way is DRESDEN and any(TREE.read(photo.path) for photo in found.photos):
        notes.insert(0, "cameras read from the files' Dresden names, not from folders")
    return replace(found, notes=(*notes, *found.notes))


def _empty(root: Path, pattern: str, found: Scan) -> list[str]:
    """Folders below `root` that hold no usable photograph."""
    filled = {folder.as_posix() for photo in found.photos for folder in photo.path.parents}
    below = (path.relative_to(root) for path in root.glob(pattern) if path.is_dir())
    return sorted({p.as_posix() for p in below if not any(map(is_hidden, p.parts))} - filled)
