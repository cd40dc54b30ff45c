"""What `fit` may touch: a set that tells what else it was asked for, beside a Set-A and a Set-C.

`fit` gets its data and a context; asking either for anything else, opening a file of another set or
of a store, asking another machine or process: all is noted.
It keeps honest code honest; it is no sandbox.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from bench.contract import FitContext, Victim
from bench.data import LabelledImages
from bench.sources.opened import OUTSIDE, watch_opens
from bench.store import is_in_store
from bench.types import SETS, SetName

SetT = TypeVar("SetT", bound=LabelledImages)
_HARNESS = (
    *("bench.jobs", "bench.execute", "bench.plan", "bench.verify", "bench.challenge"),
    *("bench.store", "bench.suites"),
    *("bench.report", "bench.cli", "bench.doctor"),
    *("camobench.evaluate", "camobench.load_suite"),
)
PER_CLASS, SIDE_PX = 4, 128


def not_its_business(module: str, kind: str) -> bool:
    """Whether an attack or a victim must not import a module: the harness, or the other side."""
    other = "victims" if kind == "attack" else "attacks"
    return any(module == name or module.startswith(f"{name}.") for name in (*_HARNESS, other))


@dataclass
class Watch:
    """What was noted.

    Attributes:
        wrongs: For people, each once.
        weights: State of the surrogates before `fit`.
    """

    wrongs: list[str] = field(default_factory=list)
    surrogates: Mapping[str, Victim] = field(default_factory=dict)
    weights: dict[str, dict[str, torch.Tensor]] = field(default_factory=dict)

    def note(self, wrong: str) -> None:
        """Note it once."""
        if wrong not in self.wrongs:
            self.wrongs.append(wrong)

    def context(self, **fields: Any) -> FitContext:
        """A context that notes whatever else it is asked for."""
        self.surrogates = fields["surrogates"]
        self.weights = {
            name: {key: value.clone() for key, value in victim.state_dict().items()}
            for name, victim in self.surrogates.items()
        }
        made: FitContext = _noting(FitContext, "context", self)(**fields)
        return made

    def look_at_surrogates(self) -> None:
        """Note those that `fit` has changed; other attacks share them."""
        for name, victim in self.surrogates.items():
            now = victim.state_dict()
            if any(not torch.equal(now[key], value) for key, value in self.weights[name].items()):
                self.note(f"`fit` changed the weights of the surrogate {name}, which others share")


def _noting(base: type[Any], called: str, watch: Watch) -> type[Any]:
    def __getattr__(self: Any, name: str) -> Any:  # noqa: N807
        if not name.startswith("__"):
            watch.note(f"`fit` asked for `{called}.{name}`, which training is not given")
        raise AttributeError(f"{base.__name__} has no {name!r}")

    return type(base.__name__, (base,), {"__getattr__": __getattr__})


def decoy_set(
    base: type[SetT], folder: Path, mine: SetName, classes: tuple[str, ...], watch: Watch
) -> SetT:
    """A tiny memory-mapped set, as the store lays it out: the others lie beside it.

    Args:
        base: `AdversarySet` or `ExaminerSet`.
        folder: Empty.
        mine: The set that is handed over.
        classes: Camera models; they differ by their mean colour.
        watch: Notes what else is asked for.
    """
    labels = np.repeat(np.arange(len(classes)), PER_CLASS)
    random = np.random.default_rng(0)
    for name in SETS:
        place = folder / name
        place.mkdir()
        images = random.integers(0, 128, (len(labels), 3, SIDE_PX, SIDE_PX)).astype(np.uint8)
        for label in range(len(classes)):
            images[labels == label, label % 3] += np.uint8(100)
        np.save(place / "images.npy", images)
    made: SetT = _noting(base, "data", watch)(
        images=np.load(folder / mine / "images.npy", mmap_mode="c"),
        labels=labels,
        classes=classes,
        validation=np.tile(np.arange(PER_CLASS) == PER_CLASS - 1, len(classes)),
    )
    return made


_active: list[tuple[Watch, Path]] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if not _active:
        return
    watch, folder = _active[-1]
    if event in OUTSIDE:
        watch.note(f"it {OUTSIDE[event]}")
    elif event == "open" and isinstance(arguments[0], str):
        _note_file(Path(arguments[0]), watch, folder)


def _note_file(path: Path, watch: Watch, folder: Path) -> None:
    if folder in path.parents:
        watch.note(f"it opened {path.relative_to(folder)}, a file beside its own set")
    elif path.suffix in (".npy", ".parquet", ".safetensors", ".json") and is_in_store(path):
        watch.note(f"it opened {path}, a file of the store")


@contextmanager
def watched(watch: Watch, folder: Path) -> Iterator[None]:
    """Note what the block opens, connects to and starts.

    Args:
        watch: Where it is noted.
        folder: Of a decoy set: opening anything in it is wrong.
    """
    watch_opens(_hear)
    _active.append((watch, folder))
    try:
        yield
    finally:
        _active.pop()
