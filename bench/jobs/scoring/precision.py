"""In which precision each network is scored, and how it is made ready for that.

Attacks and shared front-ends always run in fp32: the signal is in the last grey level. With
`mixed` the backbones of victims run in bf16 and decide close calls in fp32, which `camobench verify
--precision` measures; a victim that loses too many rows by it is named in `exempt` and stays in
fp32. The precision of a
victim is part of its cells' key, so results in different precisions never stand for each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from bench.contract import Attack, Victim
from bench.nets.fast_layers import Arbitrated
from bench.nets.inference import folded, reduced
from bench.types import CamobenchError

PRECISIONS = ("fp32", "mixed")
REDUCED_VERSION = 1
"""Raise it when `reduced` networks change: their rows are then scored anew."""
VictimPrecision = Literal["fp32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class Precision:
    """How victims are scored.

    Attributes:
        name: "fp32" or "mixed".
        exempt: Victims that stay in fp32 although the others do not.

    Raises:
        CamobenchError: If the name is unknown.
    """

    name: str = "fp32"
    exempt: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in PRECISIONS:
            known = " or ".join(PRECISIONS)
            raise CamobenchError(f"unknown precision {self.name!r}: choose {known}")

    def of(self, victim: str) -> VictimPrecision:
        """The precision of a victim's backbone, if it can be reduced."""
        return "bf16" if self.name == "mixed" and victim not in self.exempt else "fp32"


def ready_network(network: nn.Module, device: torch.device) -> nn.Module:
    """An equal network in fp32, faster to evaluate."""
    return _placed(folded(network, processor=device.type == "cpu"), device)


def make_ready(
    thing: Attack | Victim, device: torch.device, precision: VictimPrecision = "fp32"
) -> None:
    """Rewrite the plain networks of an attack or a victim for speed, in place."""
    for name in thing.rewritable:
        network = getattr(thing, name)
        if precision == "bf16":  # few images reach the exact one: its size matters, not its speed
            exact = _placed(folded(network, processor=False), device)
            setattr(thing, name, Arbitrated(_placed(reduced(network), device), exact))
        else:
            setattr(thing, name, ready_network(network, device))


def _placed(network: nn.Module, device: torch.device) -> nn.Module:
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval()
