"""What an attack and a victim are: specs, base classes, registries.

An author writes `Attack.transform` or `Victim.logits`; the harness calls the final wrappers,
because one cannot know what an author returns. An attack is handed Set-B and a `FitContext`: no
victim, no Set-A, no Set-C label and no store can reach it. What needs torch is imported at its
first use, so that specs and registries are had without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bench.contract.registration import (
    ATTACKS,
    REGISTRIES,
    VICTIMS,
    register_attack,
    register_victim,
    untrained_victim,
)
from bench.contract.specs import NOT_STATED, AttackSpec, Traits, VictimSpec

if TYPE_CHECKING:
    from bench.contract.fitting import FitContext, Snapshots
    from bench.contract.participant import Attack, Victim

__all__ = [
    "ATTACKS",
    "NOT_STATED",
    "REGISTRIES",
    "VICTIMS",
    "Attack",
    "AttackSpec",
    "FitContext",
    "Snapshots",
    "Traits",
    "Victim",
    "VictimSpec",
    "register_attack",
    "register_victim",
    "untrained_victim",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "participant" if name in ("Attack", "Victim") else "fitting"
    globals()[name] = found = getattr(import_module(f"{__name__}.{module}"), name)
    return found
