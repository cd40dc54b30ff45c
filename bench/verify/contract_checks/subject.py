"""What is checked: an entry of a registry, built and trained as often as the checks need it.

Also how two of its results are compared, and what a check says.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from bench.checks import to_unit
from bench.contract import ATTACKS, VICTIMS, Attack, Victim
from bench.contract.fitting import timed_fit
from bench.contract.plugin_files import PluginFile, is_plugin_file, load_plugin_file
from bench.data import AdversarySet, ExaminerSet
from bench.jobs.building import build_victim
from bench.nets.residual import ResidualEstimator
from bench.recipes import SMOKE, Recipe
from bench.registry import Entry, UnknownNameError
from bench.types import FitReport
from bench.verdicts import Verdict
from bench.verify.contract_checks.watching import Watch, decoy_set, watched

LOGITS = 1e-4
"""What batch size and memory layout may move fp32 logits by."""
GREY_LEVELS = 1
SHARE = 1e-3
"""Of 8-bit values that may differ by a grey level: those that lay at a rounding edge."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Of two tensors.

    Attributes:
        largest: In grey levels, or in units of logits.
        count: Values that differ.
        total: All values.
        levels: Whether these are 8-bit images.
    """

    largest: float
    count: int
    total: int
    levels: bool

    @property
    def matters(self) -> bool:
        """Whether it is larger than rounding and the order of sums explain."""
        if not self.levels:
            return self.largest > LOGITS
        return self.largest > (GREY_LEVELS if self.count <= SHARE * self.total else 0)

    def __str__(self) -> str:
        if self.count == 0:
            return "the same to the last bit"
        if self.levels:
            what = f"{self.count} of {self.total} 8-bit values differ"
            return f"{what}, by {self.largest:.0f} grey level{'s' if self.largest > 1 else ''}"
        return f"logits differ by {self.largest:.1e} at most"


def difference(one: Tensor, other: Tensor) -> Difference:
    """Compare images with images, or logits with logits."""
    levels = one.dtype == torch.uint8
    apart = (one.double() - other.double()).abs()
    return Difference(
        largest=float(apart.max()), count=int((apart > 0).sum()), total=apart.numel(), levels=levels
    )


RECIPE: Recipe = replace(SMOKE, compact=False, classifiers=dict(SMOKE.classifiers))
"""Two steps a network, stored as they are."""
CLASSES = ("Camera A", "Camera B", "Camera C")
SEED = 20020


@dataclass(kw_only=True)
class Subject:
    """An attack or a victim under check.

    Attributes:
        kind: "attack" or "victim".
        plugin: The file that it comes from, if any.
        untrained: Why its networks are those of a fresh build, for people; "" where they are not.
    """

    kind: Literal["attack", "victim"]
    entry: Entry[Any, Any]
    device: torch.device
    plugin: PluginFile | None = None
    untrained: str = ""
    _thing: Any = None

    @property
    def name(self) -> str:
        """Its name in the registry."""
        return str(self.entry.spec.name)

    def build(self, classes: Sequence[str] = CLASSES, seed: int = SEED) -> Any:
        """A new one, untrained, on the device, in evaluation mode."""
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)
        thing = self.entry.builder(self.entry.spec, classes=tuple(classes), recipe=RECIPE)
        return self.ready(thing)

    def ready(self, thing: Any) -> Any:
        """As the harness runs it: on the device, frozen."""
        thing.to(self.device)
        if isinstance(thing, Victim) and thing.spec.residual is not None:
            thing.attach(self.estimator(), "digest-of-an-estimator")
        return thing.eval().requires_grad_(False)

    def estimator(self) -> nn.Module:
        """A residual estimator, untrained."""
        torch.manual_seed(SEED)
        return ResidualEstimator(RECIPE.estimator).to(self.device).eval().requires_grad_(False)

    def train(self, thing: Any, watch: Watch) -> FitReport:
        """Run `fit` on a tiny set, in a folder where a Set-A and a Set-C lie beside it."""
        thing.requires_grad_(True)
        torch.manual_seed(SEED)
        with tempfile.TemporaryDirectory(prefix="camobench-check-") as folder:
            base = AdversarySet if self.kind == "attack" else ExaminerSet
            mine: Literal["A", "B"] = "B" if self.kind == "attack" else "A"
            data = decoy_set(base, Path(folder), mine, CLASSES, watch)
            context = watch.context(
                device=self.device,
                seed=SEED,
                recipe=RECIPE,
                surrogates=self.surrogates(),
            )
            before = data.images.copy(), data.labels.copy()
            with watched(watch, Path(folder)):
                report = timed_fit(lambda: thing.fit(data, context))
            pairs = ((before[0], data.images), (before[1], data.labels))
            if not all(np.array_equal(one, other) for one, other in pairs):
                watch.note("`fit` changed its images or labels in place")
        watch.look_at_surrogates()
        self.ready(thing)
        return report

    def surrogates(self) -> dict[str, Victim]:
        """Those that an attack's spec asks for, untrained and frozen."""
        made: dict[str, Victim] = {}
        for name in getattr(self.entry.spec, "surrogates", ()):
            victim = build_victim(name, CLASSES, RECIPE).to(self.device)
            if victim.spec.residual is not None:
                victim.attach(self.estimator(), "digest-of-an-estimator")
            made[name] = victim.eval().requires_grad_(False)
        return made

    @property
    def thing(self) -> Any:
        """What the checks run: trained for two steps where that works."""
        if self._thing is None:
            self._thing = self.build()
        return self._thing

    @thing.setter
    def thing(self, made: Any) -> None:
        self._thing = made

    def run(self, images: Tensor, targets: Tensor | None = None, thing: Any = None) -> Tensor:
        """Anonymised uint8 images of an attack, or checked logits of a victim, on the CPU.

        Args:
            images: (N, 3, H, W) uint8.
            targets: (N,); by default one after the other, for an attack that is targeted.
            thing: Another one than the subject's own.
        """
        thing = self.thing if thing is None else thing
        images = images.to(self.device)
        with torch.no_grad():
            if isinstance(thing, Attack):
                if targets is None and thing.spec.targeted:
                    targets = torch.arange(len(images)) % len(thing.classes)
                return thing(images, None if targets is None else targets.to(self.device)).cpu()
            return thing.checked_logits(thing.logits(to_unit(images)), len(images)).cpu()  # type: ignore[no-any-return]


def pixels(count: int, height: int, width: int, seed: int = 0) -> Tensor:
    """(count, 3, height, width) uint8: coarse squares with noise, something to filter."""
    random = np.random.default_rng(seed)
    coarse = random.integers(40, 216, (count, 3, height // 8 + 1, width // 8 + 1))
    fine = np.kron(coarse, np.ones((8, 8), int))[..., :height, :width]
    return torch.from_numpy((fine + random.integers(-30, 31, fine.shape)).clip(0, 255)).byte()


def find_subjects(text: str, device: torch.device) -> list[Subject]:
    """The subjects of `my.py:MyAttack`, or of a registered name.

    Args:
        text: Either of them.
        device: Where they are to run.

    Raises:
        UnknownNameError: If neither registry has the name.
        CamobenchError: If a file cannot be loaded.
    """
    if is_plugin_file(text):
        plugin = load_plugin_file(text)
        registry: Any = ATTACKS if plugin.kind == "attack" else VICTIMS
        return [
            Subject(kind=plugin.kind, entry=registry.get(name), device=device, plugin=plugin)  # type: ignore[arg-type]
            for name in plugin.names
        ]
    found, reasons = [], []
    for kind, registry in (("attack", ATTACKS), ("victim", VICTIMS)):
        try:
            found.append(Subject(kind=kind, entry=registry.get(text), device=device))  # type: ignore[arg-type]
        except UnknownNameError as error:
            reasons.append(str(error.args[0]))
    if not found:
        close = [reason for reason in reasons if "did you mean" in reason] or reasons
        raise UnknownNameError("; ".join(close))
    return found


def ok(finding: str) -> Verdict:
    """It keeps the contract."""
    return Verdict(check="", verdict="ok", finding=finding)


def warn(finding: str, remedy: str) -> Verdict:
    """It works, but its author should know."""
    return Verdict(check="", verdict="warn", finding=finding, remedy=remedy)


def fail(finding: str, remedy: str) -> Verdict:
    """It does not keep the contract."""
    return Verdict(check="", verdict="fail", finding=finding, remedy=remedy)


def skip(finding: str) -> Verdict:
    """There is nothing to look at."""
    return Verdict(check="", verdict="skip", finding=finding)
