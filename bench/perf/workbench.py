"""Something to measure: networks of a recipe's size with random weights, and images of noise.

Time does not depend on what networks have learnt, but for one thing: whether their calls are close,
which are decided in fp32. Random networks give nearly the same logits for all images, so that all
calls of one are close or none, by luck; their classes are set apart, which is what training does:
of the networks that ship, about one call in a hundred is close. The store that is made is a
complete one: a run does on it what it does on any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from bench.contract import Victim
from bench.jobs.building import untrained
from bench.jobs.networks import Networks, module_state, save_checkpoint
from bench.perf.peaks import GIGA
from bench.plan.failures import Failures
from bench.plan.request import Request, open_session
from bench.plan.results.cards import count
from bench.plan.session import Session
from bench.store import Store, digest
from bench.suites.base import Row, SuiteCard
from bench.types import SILENT, FitReport, Progress, SetName

COARSE_PX = 8
APART = 100.0


@dataclass(frozen=True, kw_only=True)
class Load:
    """What is scored.

    Attributes:
        image_px: Side of the images.
        images: In Set-C.
        targets: Of each image: one fewer than there are classes.
        attack: By name.
        victims: By name.
        recipe: Whose widths the networks have; `paper` is full width.
        reference_images: Those that the reference loop takes: their transforms fill whole batches.
        repeats: Of each measurement.
    """

    image_px: int
    images: int
    targets: int
    attack: str
    victims: tuple[str, ...]
    recipe: str = "paper"
    reference_images: int = 4
    repeats: int = 3

    @property
    def transforms(self) -> int:
        """Anonymised images."""
        return self.images * self.targets

    @property
    def classes(self) -> tuple[str, ...]:
        """Camera models."""
        return tuple(f"noise-{number:02d}" for number in range(self.targets + 1))


class NoiseSource:
    """Set-C of images of coarse and fine noise, by turns of each class.

    Args:
        load: How many of which size.
    """

    def __init__(self, load: Load) -> None:
        self.load = load

    @cached_property
    def card(self) -> SuiteCard:
        """What the suite is."""
        shape = {name: asdict(self.load)[name] for name in ("image_px", "images", "targets")}
        return SuiteCard(
            name=f"noise-{self.load.image_px}px",
            version=1,
            fingerprint=digest(shape),
            classes=self.load.classes,
            others=(),
            image_px=self.load.image_px,
            note="noise, to measure speed by",
        )

    def count(self, set_name: SetName) -> int:
        """Number of images."""
        return self.load.images

    def rows(
        self, set_name: SetName, workers: int, start: int = 0
    ) -> Iterator[tuple[Row, NDArray[np.uint8]]]:
        """Draw the images, each from a seed of its own."""
        side = self.load.image_px
        coarse_side = side // COARSE_PX + 1
        for number in range(start, self.load.images):
            random = np.random.default_rng(number)
            coarse = random.integers(40, 216, (3, coarse_side, coarse_side))
            smooth = np.kron(coarse, np.ones((1, COARSE_PX, COARSE_PX), int))[:, :side, :side]
            pixels = smooth + random.integers(-30, 31, (3, side, side))
            name = f"{number:06d}"
            yield (
                Row(
                    image_id=name,
                    photo_id=name,
                    model=self.load.classes[number % len(self.load.classes)],
                    device="one",
                    scene=None,
                    set=set_name,
                    split="in",
                    partition="evaluation",
                    sha256=digest(number),
                ),
                pixels.clip(0, 255).astype(np.uint8),
            )


class Workbench:
    """A load made real in a store; in another process it is opened anew.

    Args:
        load: What is scored.
        root: The store; images are made where they are not there yet, weights by `build`.
    """

    def __init__(self, load: Load, root: Path) -> None:
        self.load, self.root = load, root
        session = self.session()
        self.graph, self.shelf, self.suite = session.graph, session.shelf, session.prepare(("C",))

    def __reduce__(self) -> tuple[type, tuple[Load, Path]]:
        return Workbench, (self.load, self.root)

    def session(
        self, device: str = "cpu", precision: str = "fp32", progress: Progress = SILENT
    ) -> Session:
        """What a run of the load would do; the first failure ends it."""
        request = Request(
            source=NoiseSource(self.load),
            attacks=(self.load.attack,),
            victims=self.load.victims,
            recipe=self.load.recipe,
            device=device,
            precision=precision,
            shipped=False,
            executor="inline",
        )
        return open_session(request, Store(self.root), progress, Failures())

    def build(self) -> Workbench:
        """Write random weights, where they are not there yet.

        Only what scoring opens is made: no surrogate, no residual estimator of Set-B.
        """
        wanted = {*self.graph.victims.values(), *self.graph.attacks.values()}
        wanted |= {self.graph.estimators["A"]} if "A" in self.graph.estimators else set()
        for key in sorted(wanted & self.graph.jobs.keys()):
            job = self.graph.jobs[key]
            if self.shelf.find(job.kind, job.name, key) is None:
                module = untrained(job, self.graph)
                if isinstance(module, Victim):
                    _set_apart(module)
                state = module_state(module, self.graph.recipe)
                save_checkpoint(self.shelf.store, job, self.graph, state, FitReport())
        return self


@torch.no_grad()
def _set_apart(victim: Victim) -> None:
    """Set the classes of a random network apart by the biases of its last layer."""
    linear = [module for module in victim.modules() if isinstance(module, nn.Linear)]
    if linear and linear[-1].bias is not None:
        linear[-1].bias.copy_(torch.arange(linear[-1].out_features) * APART)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Operations for one anonymised image, in units of 10^9, a multiply-add being two.

    Attributes:
        generator: Of the attack.
        front_ends: Each that several victims share, once; 0 where there is none.
        backbones: By victim.
    """

    generator: float
    front_ends: float
    backbones: dict[str, float]

    @property
    def gflop_per_transform(self) -> float:
        """All that has to be computed at least once."""
        return self.generator + self.front_ends + sum(self.backbones.values())


@torch.no_grad()
def count_cost(bench: Workbench) -> Cost:
    """Run every network once, at the load's size, and count convolutions and matrix products."""
    device = torch.device("cpu")
    networks = Networks(bench.graph, bench.shelf, device)
    side = bench.load.image_px
    image, target = torch.zeros(1, 3, side, side), torch.zeros(1, dtype=torch.int64)
    attack = networks.attack(bench.load.attack)
    with FlopCounterMode(display=False) as counter:
        attack.transform(image, target)
    shared: dict[str, int] = {}
    backbones = {}
    for name in bench.graph.victims:
        victim = networks.victim(name)
        counts = count(victim, image)
        if victim.frontend_digest is not None:
            shared[victim.frontend_digest] = counts.frontend_flops_per_image or 0
        backbones[name] = (counts.flops_per_image or 0) / GIGA
    return Cost(
        generator=counter.get_total_flops() / GIGA,
        front_ends=sum(shared.values()) / GIGA,
        backbones=backbones,
    )
