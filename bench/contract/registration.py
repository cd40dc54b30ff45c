"""The two registries, and the decorators with which plug-in files enter them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from bench.contract.specs import AttackSpec, VictimSpec
from bench.recipes import Recipe
from bench.registry import Deferred, Entry, Registry

if TYPE_CHECKING:
    from bench.contract.participant import Attack, Victim


def _entries(thing: Any, spec_type: type) -> Iterable[Entry[Any, Any]]:
    if isinstance(thing, Entry):
        return [thing]
    if isinstance(thing, list | tuple):
        return [entry for item in thing for entry in _entries(item, spec_type)]
    from bench.contract import participant  # needs torch

    name = spec_type.__name__.removesuffix("Spec")
    if isinstance(thing, type) and issubclass(thing, getattr(participant, name)):
        spec = getattr(thing, "spec", None)
        if not isinstance(spec, spec_type):
            raise TypeError(
                f"{thing.__name__} needs a class attribute `spec: {spec_type.__name__}`"
            )
        return [Entry(spec=spec, builder=thing)]
    raise TypeError(f"expected a subclass of {name} or an `Entry`, got {thing!r}")


ATTACKS: Registry[AttackSpec, Attack] = Registry(
    "attack", "camobench.attacks", partial(_entries, spec_type=AttackSpec)
)
VICTIMS: Registry[VictimSpec, Victim] = Registry(
    "victim", "camobench.victims", partial(_entries, spec_type=VictimSpec)
)
REGISTRIES: dict[str, Registry[Any, Any]] = {"attack": ATTACKS, "victim": VICTIMS}

AttackClass = TypeVar("AttackClass", bound="type[Attack]")
VictimClass = TypeVar("VictimClass", bound="type[Victim]")


def register_attack(cls: AttackClass) -> AttackClass:
    """Class decorator for plug-in files: register an `Attack` under its spec's name."""
    ATTACKS.names()  # built-ins first, so that a name taken twice is the plug-in's fault
    ATTACKS.add(cls, origin=cls.__module__)
    return cls


def register_victim(cls: VictimClass) -> VictimClass:
    """Class decorator for plug-in files: register a `Victim` under its spec's name."""
    VICTIMS.names()
    VICTIMS.add(cls, origin=cls.__module__)
    return cls


def untrained_victim(name: str, classes: Sequence[str], recipe: Recipe | None) -> Victim:
    """A victim by name, for an attack that keeps a surrogate and loads its state in `fit`.

    One that reads the noise residual has an estimator of its own attached, as untrained, which the
    surrogate's state holds too. The recipe gives the width.
    """
    entry = VICTIMS.get(name)
    victim = entry.builder(entry.spec, classes=classes, recipe=recipe)
    if victim.spec.residual is not None and recipe is not None:
        estimator = Deferred("bench.nets.residual:ResidualEstimator")(recipe.estimator)
        victim.attach(estimator, None)
    return victim
