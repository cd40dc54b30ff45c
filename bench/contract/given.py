"""Attacks and victims that exist in memory alone: instances, and plain modules of torch.

They are scored as they are, on copies in evaluation mode, and never trained. Their key hashes what
they are: class, code, state, attributes. What cannot be told so has a new key each time.
"""

from __future__ import annotations

import copy
import inspect
import re
import secrets
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from torch import Tensor, nn

from bench.contract.participant import Attack, Participant, Victim
from bench.contract.specs import AttackSpec, VictimSpec
from bench.recipes import Recipe
from bench.registry import Entry
from bench.sources import makeup_of
from bench.types import CamobenchError, WrongUsageError


class Given(Participant[Any]):
    """A copy of a `Participant` or of any module that was handed over as an object.

    Its `token` is part of its key, for what cannot be told; the run's recipe means nothing to it.
    """

    def __init__(
        self,
        module: nn.Module,
        token: str,
        spec: Any,
        *,
        classes: Sequence[str],
        recipe: Recipe | None,
    ) -> None:
        super().__init__(spec, classes=classes, recipe=recipe)
        self.module = copy.deepcopy(module)

    @property
    def hyperparameters(self) -> Mapping[str, Any]:
        """Those that it states."""
        return self.module.hyperparameters if isinstance(self.module, Participant) else {}


class GivenAttack(Given, Attack):
    """An `Attack`, or a module that maps `(images, targets)` or `images`.

    Raises:
        CamobenchError: If its targets are positions in other classes than the suite's.
    """

    def __init__(self, module: nn.Module, *given: Any, **options: Any) -> None:
        super().__init__(module, *given, **options)
        known = tuple(getattr(module, "classes", ()))
        if self.spec.targeted and known and known != self.classes:
            raise CamobenchError(
                f"attack {self.spec.name} has targets {', '.join(known)}, the suite "
                f"{', '.join(self.classes)}; make it with the suite's `classes`, in their order"
            )

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """What the module makes of the images."""
        if isinstance(self.module, Attack):
            return self.module.transform(images, targets)
        out: Tensor = self.module(images, targets) if self.spec.targeted else self.module(images)
        return out


class GivenVictim(Given, Victim):
    """A `Victim`, or a module that maps images in [0, 1] to logits.

    Raises:
        CamobenchError: If it has no attribute `classes`: the names of the cameras they are of.
    """

    def __init__(
        self, module: nn.Module, token: str, spec: Any, *, classes: Sequence[str], **options: Any
    ) -> None:
        known: Any = getattr(module, "classes", None)
        if isinstance(known, str) or not isinstance(known, Sequence) or not known:
            raise CamobenchError(
                f"victim {spec.name} does not say which cameras its logits are of; set its "
                f"attribute `classes` to their names, in order, such as {list(classes)}"
            )
        super().__init__(module, token, spec, classes=known, **options)

    def logits(self, images: Tensor) -> Tensor:
        """What the module makes of the images."""
        out: Tensor = self.module(images)
        return out


def given_entry(kind: str, thing: Any, name: str | None = None) -> Entry[Any, Any]:
    """The entry of an attack or a victim that is a class, an instance or a plain module.

    It is called after its spec, else its class, unless it is given a name.

    Raises:
        WrongUsageError: If it is nothing of these.
    """
    base, spec_type = (Attack, AttackSpec) if kind == "attack" else (Victim, VictimSpec)
    spec: Any = getattr(thing, "spec", None)
    if isinstance(thing, type) and issubclass(thing, base) and isinstance(spec, spec_type):
        spec = replace(spec, name=name or spec.name)
        return Entry(spec=spec, builder=thing, origin=thing.__module__)
    other = isinstance(thing, Attack | Victim) and not isinstance(thing, base)
    if not isinstance(thing, nn.Module) or other:
        shown = thing.__name__ if isinstance(thing, type) else type(thing).__name__
        raise WrongUsageError(
            f"{shown} is no {kind}: name one, or hand over a camobench.{base.__name__} with a "
            "`spec`, or a torch.nn.Module"
        )
    if not isinstance(thing, base):
        spec = _plain_spec(kind, thing)
    elif kind == "victim":  # it has its residual estimator attached, if it reads through one
        spec = replace(spec, residual=None)
    spec = replace(spec, name=name or spec.name)
    origin = f"memory: {type(thing).__qualname__}"
    makeup = makeup_of(thing)
    token, untold = "", ", ".join(makeup.untold)
    if not untold:
        origin = f"{origin} {makeup.sha256[:12]}"
    else:
        token, origin = secrets.token_hex(32), f"{origin}, not hashed: {untold}"
        warnings.warn(
            f"{kind} {spec.name} cannot be told from another by {untold}; its rows are scored anew "
            "each time",
            stacklevel=4,
        )
    given = GivenAttack if kind == "attack" else GivenVictim
    return Entry(spec=spec, builder=partial(given, thing, token), origin=origin)


def _plain_spec(kind: str, module: nn.Module) -> Any:
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[0-9]+", type(module).__name__)
    name = "-".join(words).lower() or "module"
    if kind == "victim":
        return VictimSpec(name=name)
    return AttackSpec(name=name, targeted=_takes_targets(module))


def _takes_targets(module: nn.Module) -> bool:
    """Whether it wants a second argument, or has one that is called so."""
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    found = [p for p in inspect.signature(module.forward).parameters.values() if p.kind in places]
    return len(found) > 1 and (found[1].default is found[1].empty or "target" in found[1].name)
