"""What an attack and a victim are: specs, base classes, registries.

An author writes `Attack.transform` or `Victim.logits`; the harness calls the final wrappers,
because one cannot know what an author returns. An attack is handed Set-B and a `FitContext`: no
victim, no Set-A, no Set-C label and no store can reach it.
"""

from bench.contract.attack import Attack
from bench.contract.fitting import FitContext, Snapshots
from bench.contract.registration import (
    ATTACKS,
    VICTIMS,
    register_attack,
    register_victim,
    untrained_victim,
)
from bench.contract.specs import NOT_STATED, AttackSpec, VictimSpec
from bench.contract.victim import Victim

__all__ = [
    "ATTACKS",
    "NOT_STATED",
    "VICTIMS",
    "Attack",
    "AttackSpec",
    "FitContext",
    "Snapshots",
    "Victim",
    "VictimSpec",
    "register_attack",
    "register_victim",
    "untrained_victim",
]
