"""What `fit` may touch: a set that tells what else it was asked for, beside a Set-A and a Set-C.

`fit` gets its data and a context; asking either for anything else, opening a file of another set or
of a store, asking another machine or process: all is noted.
It keeps honest code honest; it is no sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from bench.data import AdversarySet, ExaminerSet
from bench.sources.opened import OUTSIDE, heard
from bench.store import is_in_store
from bench.types import SETS

Note: TypeAlias = Callable[[str], None]
"""Told what is wrong, for people."""
PER_CLASS, SIDE_PX = 4, 128
KEPT = (".npy", ".parquet", ".safetensors", ".json")
"""Files of a store that hold something."""


def noting(base: type[Any], called: str, note: Note) -> type[Any]:
    """A class like `base` that notes whatever else it is asked for."""

    def __getattr__(self: Any, name: str) -> Any:  # noqa: N807
        if not name.startswith("__"):
            note(f"`fit` asked for `{called}.{name}`, which training is not given")
        raise AttributeError(f"{base.__name__} has no {name!r}")

    return type(base.__name__, (base,), {"__getattr__": __getattr__})


def decoy_set(kind: str, folder: Path, classes: tuple[str, ...], note: Note) -> Any:
    """A tiny memory-mapped set, as the store lays it out: the others lie beside it.

    An attack is handed Set-B, a victim Set-A; classes differ by their mean colour.
    """
    labels = np.repeat(np.arange(len(classes)), PER_CLASS)
    random = np.random.default_rng(0)
    for name in SETS:
        images = random.integers(0, 128, (len(labels), 3, SIDE_PX, SIDE_PX)).astype(np.uint8)
        images[np.arange(len(labels)), labels % 3] += np.uint8(100)
        (folder / name).mkdir()
        np.save(folder / name / "images.npy", images)
    base, mine = (AdversarySet, "B") if kind == "attack" else (ExaminerSet, "A")
    return noting(base, "data", note)(
        images=np.load(folder / mine / "images.npy", mmap_mode="c"),
        labels=labels,
        classes=classes,
        validation=np.tile(np.arange(PER_CLASS) == PER_CLASS - 1, len(classes)),
    )


@contextmanager
def watched(folder: Path, note: Note) -> Iterator[None]:
    """Note what the block opens, connects to and starts; in `folder` opening anything is wrong."""

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event in OUTSIDE:
            note(f"it {OUTSIDE[event]}")
        elif event == "open" and isinstance(arguments[0], str):
            path = Path(arguments[0])
            if folder in path.parents:
                note(f"it opened {path.relative_to(folder)}, a file beside its own set")
            elif path.suffix in KEPT and is_in_store(path):
                note(f"it opened {path}, a file of the store")

    with heard(hear):
        yield
