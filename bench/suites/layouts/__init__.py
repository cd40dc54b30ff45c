"""How the path of a photograph tells its camera.

A further data set is a further `Layout` in `data_sets`, which needs its file names alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from types import MappingProxyType

from bench.suites.layouts.data_sets import DRESDEN, FLOREVIEW, FODB, SPCUP, VISION
from bench.suites.layouts.folder_names import prefers_dresden
from bench.suites.layouts.naming import TREE, Layout
from bench.types import CamobenchError
from bench.wording import near

LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {layout.name: layout for layout in (TREE, DRESDEN, VISION, FODB, FLOREVIEW, SPCUP)}
)


def get_layout(name: str) -> Layout:
    """The layout called `name`.

    Raises:
        CamobenchError: If there is none; lists them all.
    """
    if name in LAYOUTS:
        return LAYOUTS[name]
    close = near(name, LAYOUTS) or list(LAYOUTS)
    raise CamobenchError(
        f"unknown layout {name!r}: did you mean {', '.join(close)}? "
        f"A layout is one of {', '.join(LAYOUTS)}"
    )


def detect_layout(paths: Sequence[PurePosixPath]) -> Layout:
    """Tell from the names how a folder is laid out.

    A data set's own naming is taken when most files follow it, so that strays are still reported.

    Raises:
        CamobenchError: If photographs lie both in the folder itself and in folders below.
    """
    for layout in (VISION, FODB, FLOREVIEW, SPCUP):
        if _most(layout, paths):
            return layout
    flat = [path for path in paths if len(path.parts) == 1]
    deep = [path for path in paths if len(path.parts) > 1]
    # Dresden names in folders that are no MODEL/DEVICE, such as natural and flatfield.
    tree = any(len(path.parts) == 3 for path in paths)
    if deep and _most(DRESDEN, paths) and (prefers_dresden(paths) or not tree):
        return DRESDEN
    if flat and deep:
        raise CamobenchError(
            f"photographs lie in the folder itself ({flat[0]}) and in folders below ({deep[0]}); "
            f"expected either files named {DRESDEN.pattern} or a tree {TREE.pattern}"
        )
    return TREE if deep else DRESDEN


def _most(layout: Layout, paths: Sequence[PurePosixPath]) -> bool:
    return sum(layout.knows(path) for path in paths) * 2 > len(paths)
