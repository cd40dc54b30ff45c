"""What is checked: an entry of a registry, built and trained as often as the checks need it.

What `fit` touches beside its data and its context is noted, which keeps honest code honest; it is
no sandbox. Also how two results are compared, and how a check says what it found.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
import torch
from torch import Tensor

from bench.checks import to_unit
from bench.contract import REGISTRIES, FitContext, Victim
from bench.contract.fitting import timed_fit
from bench.contract.global_state import kept_random_numbers, seed_by
from bench.contract.plugin_files import PluginFile, is_plugin_file, load_plugin_file
from bench.data import AdversarySet, ExaminerSet
from bench.jobs.building import build_victim
from bench.nets.residual import ResidualEstimator
from bench.recipes import SMOKE, Recipe
from bench.registry import Entry, UnknownNameError
from bench.sources.opened import OUTSIDE, heard
from bench.store import is_in_store
from bench.types import SETS, FitReport
from bench.verdicts import Outcome

RECIPE: Recipe = replace(SMOKE, compact=False)
"""Two steps a network, stored as they are."""
CLASSES = ("Camera A", "Camera B", "Camera C")
SEED = 20020
PER_CLASS, SIDE_PX = 4, 128
KEPT = (".npy", ".parquet", ".safetensors", ".json")
"""Files of a store that hold something."""
LOGITS = 1e-4
"""What batch size and memory layout may move fp32 logits by."""
GREY_LEVELS = 1
SHARE = 1e-3
"""Of 8-bit values that may differ by a grey level: those that lay at a rounding edge."""


class FaultError(Exception):
    """What a check has found, where it is not that all is well."""

    def __init__(self, verdict: Outcome, finding: str, remedy: str = "") -> None:
        super().__init__(finding)
        self.verdict, self.finding, self.remedy = verdict, finding, remedy


def require(kept: object, finding: str, remedy: str) -> None:
    """Fail the check unless the contract is kept."""
    if not kept:
        raise FaultError("fail", finding, remedy)


def advise(kept: object, finding: str, remedy: str) -> None:
    """Warn of what works, but its author should know."""
    if not kept:
        raise FaultError("warn", finding, remedy)


def skip(finding: str) -> NoReturn:
    """There is nothing to look at."""
    raise FaultError("skip", finding)


class Difference:
    """Between two tensors of 8-bit images, or of logits.

    Attributes:
        largest: In grey levels, or in units of logits.
        count: Values that differ.
        matters: Whether it is larger than rounding and the order of sums explain.
    """

    def __init__(self, one: Tensor, other: Tensor) -> None:
        apart = (one.cpu().double() - other.cpu().double()).abs()
        self.largest, self.count = float(apart.max()), int((apart > 0).sum())
        self.total, self._levels = apart.numel(), one.dtype == torch.uint8
        allowed = GREY_LEVELS if self.count <= SHARE * self.total else 0
        self.matters = self.largest > (allowed if self._levels else LOGITS)

    def __str__(self) -> str:
        if self.count == 0:
            return "the same to the last bit"
        if self._levels:
            what = f"{self.count} of {self.total} 8-bit values differ"
            return f"{what}, by {self.largest:.0f} grey level{'s' if self.largest > 1 else ''}"
        return f"logits differ by {self.largest:.1e} at most"


def require_alike(
    one: Tensor,
    other: Tensor,
    what: str,
    remedy: str,
    judge: Callable[[object, str, str], None] = require,
) -> str:
    """Say how two results differ; fail the check, or warn, where that matters."""
    moved = Difference(one, other)
    judge(not moved.matters, f"{what}: {moved}", remedy)
    return f"{what}: {moved}"


@dataclass(kw_only=True)
class Subject:
    """An attack or a victim under check.

    Attributes:
        kind: "attack" or "victim".
        plugin: The file that it comes from, if any.
        trains: Whether `thing` is to be trained: `fit` has not been tried yet.
        wrongs: What `fit` did that it may not, for people, each once.
    """

    kind: Literal["attack", "victim"]
    entry: Entry[Any, Any]
    device: torch.device
    plugin: PluginFile | None = None
    trains: bool = True
    wrongs: list[str] = field(default_factory=list)

    @cached_property
    def thing(self) -> Any:
        """What the checks run: trained for two steps if that works."""
        thing = self.build()
        if thing.learns and self.trains:
            self.train(thing)
        return thing

    def build(self, classes: Sequence[str] = CLASSES, seed: int = SEED) -> Any:
        """A new one, untrained, on the device, in evaluation mode."""
        torch.manual_seed(seed)
        np.random.seed(seed)
        thing = self.entry.builder(self.entry.spec, classes=tuple(classes), recipe=RECIPE)
        return self.ready(thing)

    def ready(self, thing: Any) -> Any:
        """As the harness runs it: on the device, frozen."""
        thing.to(self.device)
        if isinstance(thing, Victim) and thing.spec.residual is not None:
            torch.manual_seed(SEED)
            estimator = ResidualEstimator(RECIPE.estimator).to(self.device).eval()
            thing.attach(estimator.requires_grad_(False), "digest-of-an-estimator")
        return thing.eval().requires_grad_(False)

    def train(self, thing: Any) -> FitReport:
        """Run `fit` on a tiny set, in a folder where a Set-A and a Set-C lie beside it."""
        thing.requires_grad_(True)
        names = getattr(self.entry.spec, "surrogates", ())
        surrogates = {name: self.ready(build_victim(name, CLASSES, RECIPE)) for name in names}
        before = {name: copy.deepcopy(one.state_dict()) for name, one in surrogates.items()}
        context = self._noting(FitContext, "context")(
            device=self.device, seed=SEED, recipe=RECIPE, surrogates=surrogates
        )
        torch.manual_seed(SEED)
        with tempfile.TemporaryDirectory(prefix="camobench-check-") as folder:
            data = self._set_in(Path(folder))
            images, labels = data.images.copy(), data.labels.copy()
            with heard(partial(self._hear, Path(folder))):
                report = timed_fit(lambda: thing.fit(data, context))
            if not (np.array_equal(images, data.images) and np.array_equal(labels, data.labels)):
                self.note("`fit` changed its images or labels in place")
        for name, state in before.items():
            now = surrogates[name].state_dict()
            if not all(torch.equal(now[key], value) for key, value in state.items()):
                self.note(f"`fit` changed the weights of the surrogate {name}, which others share")
        self.ready(thing)
        return report

    def note(self, wrong: str) -> None:
        """Note once what `fit` may not do."""
        if wrong not in self.wrongs:
            self.wrongs.append(wrong)

    def _noting(self, base: type[Any], called: str) -> type[Any]:
        """A class like `base` that notes whatever else it is asked for."""

        def __getattr__(_: Any, name: str) -> Any:  # noqa: N807
            if not name.startswith("__"):
                self.note(f"`fit` asked for `{called}.{name}`, which training is not given")
            raise AttributeError(f"{base.__name__} has no {name!r}")

        return type(base.__name__, (base,), {"__getattr__": __getattr__})

    def _set_in(self, folder: Path) -> Any:
        """Set-B for an attack, Set-A for a victim, as a store lays it out: the others beside it.

        Classes differ by their mean colour.
        """
        labels = np.repeat(np.arange(len(CLASSES)), PER_CLASS)
        random = np.random.default_rng(0)
        for name in SETS:
            images = random.integers(0, 128, (len(labels), 3, SIDE_PX, SIDE_PX)).astype(np.uint8)
            images[np.arange(len(labels)), labels % 3] += np.uint8(100)
            (folder / name).mkdir()
            np.save(folder / name / "images.npy", images)
        base, mine = (AdversarySet, "B") if self.kind == "attack" else (ExaminerSet, "A")
        return self._noting(base, "data")(
            images=np.load(folder / mine / "images.npy", mmap_mode="c"),
            labels=labels,
            classes=CLASSES,
            validation=np.tile(np.arange(PER_CLASS) == PER_CLASS - 1, len(CLASSES)),
        )

    def _hear(self, folder: Path, event: str, arguments: tuple[Any, ...]) -> None:
        """Note what `fit` opens, connects to and starts; in `folder` opening anything is wrong."""
        if event in OUTSIDE:
            self.note(f"it {OUTSIDE[event]}")
        elif event == "open" and isinstance(arguments[0], str):
            path = Path(arguments[0])
            if folder in path.parents:
                self.note(f"it opened {path.relative_to(folder)}, a file beside its own set")
            elif path.suffix in KEPT and is_in_store(path):
                self.note(f"it opened {path}, a file of the store")

    def targets(self, count: int) -> Tensor | None:
        """(count,) one class after the other, for an attack that is targeted."""
        if self.kind == "victim" or not self.entry.spec.targeted:
            return None
        return torch.arange(count, device=self.device) % len(self.thing.classes)

    def raw(self, unit: Tensor, targets: Tensor | None = None, thing: Any = None) -> Any:
        """What `transform` or `logits` make of (N, 3, H, W) in [0, 1], drawing the same each time.

        By default those of the subject's own `thing`.
        """
        thing = self.thing if thing is None else thing
        with torch.no_grad(), kept_random_numbers():
            seed_by("")
            return thing.logits(unit) if self.kind == "victim" else thing.transform(unit, targets)

    def run(self, images: Tensor, targets: Tensor | None = None, thing: Any = None) -> Tensor:
        """Anonymised uint8 images of an attack, or checked logits of a victim, on the CPU.

        By default with the targets of `targets`, and of the subject's own `thing`.
        """
        thing, images = self.thing if thing is None else thing, images.to(self.device)
        with torch.no_grad():
            if isinstance(thing, Victim):
                return thing.checked_logits(to_unit(images)).cpu()
            targets = self.targets(len(images)) if targets is None else targets
            made: Tensor = thing(images, None if targets is None else targets.to(self.device))
            return made.cpu()


def pixels(count: int, height: int, width: int, seed: int = 0) -> Tensor:
    """(count, 3, height, width) uint8: coarse squares with noise, something to filter."""
    random = np.random.default_rng(seed)
    coarse = random.integers(40, 216, (count, 3, height // 8 + 1, width // 8 + 1))
    fine = np.kron(coarse, np.ones((8, 8), int))[..., :height, :width]
    return torch.from_numpy((fine + random.integers(-30, 31, fine.shape)).clip(0, 255)).byte()


def find_subjects(text: str, device: torch.device) -> list[Subject]:
    """The subjects of `my.py:MyAttack`, or of a registered name.

    Raises:
        UnknownNameError: If neither registry has the name.
        CamobenchError: If a file cannot be loaded.
    """
    plugin = load_plugin_file(text) if is_plugin_file(text) else None
    names, kinds = (plugin.names, (plugin.kind,)) if plugin else ((text,), tuple(REGISTRIES))
    found, reasons = [], []
    for kind in kinds:
        for name in names:
            try:
                entry = REGISTRIES[kind].get(name)
            except UnknownNameError as error:
                reasons.append(str(error.args[0]))
            else:
                found.append(Subject(kind=kind, entry=entry, device=device, plugin=plugin))  # type: ignore[arg-type]
    if not found:
        close = [reason for reason in reasons if "did you mean" in reason] or reasons
        raise UnknownNameError("; ".join(close))
    return found
