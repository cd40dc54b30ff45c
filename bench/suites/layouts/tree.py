"""The plain tree for photographs of one's own: `MODEL/DEVICE/IMAGE.jpg`."""

from __future__ import annotations

from pathlib import PurePosixPath

from bench.suites.layouts.base import Layout, PhotoName


def parse_tree(path: PurePosixPath) -> PhotoName | None:
    """Read `MODEL/DEVICE/IMAGE.jpg`."""
    if len(path.parts) != 3:
        return None
    model, device, _ = path.parts
    return PhotoName(model=model, device=device, shot=path.stem)


TREE = Layout(name="tree", pattern="MODEL/DEVICE/IMAGE.jpg", parse=parse_tree)
