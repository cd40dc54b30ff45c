"""How many operations the work takes, counted from the networks: what cannot be saved."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.jobs.networks import Networks
from bench.perf.peaks import GIGA
from bench.perf.workbench import Workbench
from bench.runner.counts import count


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
