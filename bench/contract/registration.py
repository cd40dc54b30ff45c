"""The two registries, and the decorators with which plug-in files enter them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from bench.contract.attack import Attack
from bench.contract.specs import AttackSpec, VictimSpec
from bench.contract.victim import Victim
from bench.nets.residual import ResidualEstimator
from bench.recipes import Recipe
from bench.registry import Entry, Registry


def _entries(thing: Any, base: type, spec_type: type) -> Iterable[Entry[Any, Any]]:
    if isinstance(thing, Entry):
        return [thing]
    if isinstance(thing, type) and issubclass(thing, base):
        spec = getattr(thing, "spec", None)
        if not isinstance(spec, spec_type):
            raise TypeError(
                f"{thing.__name__} needs a class attribute `spec: {spec_type.__name__}`"
            )
        return [Entry(spec=spec, builder=thing)]
    if isinstance(thing, list | tuple):
        return [entry for item in thing for entry in _entries(item, base, spec_type)]
    raise TypeError(f"expected a subclass of {base.__name__} or an `Entry`, got {thing!r}")


def _attack_entries(thing: Any) -> Iterable[Entry[AttackSpec, Attack]]:
    return _entries(thing, Attack, AttackSpec)


def _victim_entries(thing: Any) -> Iterable[Entry[VictimSpec, Victim]]:
    return _entries(thing, Victim, VictimSpec)


ATTACKS: Registry[AttackSpec, Attack] = Registry("attack", "camobench.attacks", _attack_entries)
VICTIMS: Registry[VictimSpec, Victim] = Registry("victim", "camobench.victims", _victim_entries)

AttackClass = TypeVar("AttackClass", bound=type[Attack])
VictimClass = TypeVar("VictimClass", bound=type[Victim])


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
    surrogate's state holds too.

    Args:
        name: In the registry.
        classes: Camera models that it tells apart.
        recipe: Gives the width.
    """
    entry = VICTIMS.get(name)
    victim = entry.builder(entry.spec, classes=classes, recipe=recipe)
    if victim.spec.residual is not None and recipe is not None:
        victim.attach(ResidualEstimator(recipe.estimator), None)
    return victim
