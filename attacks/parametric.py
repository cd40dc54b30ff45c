"""What the anonymisers of the field share: constants, stated in `attacks.specs`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.contract import Attack, AttackSpec
from bench.recipes import Recipe


class ParametricAttack(Attack):
    """An anonymiser with a few constants, its hyper-parameters."""

    def __init__(
        self,
        spec: AttackSpec,
        *,
        classes: Sequence[str] = (),
        recipe: Recipe | None = None,
        **constants: Any,
    ) -> None:
        super().__init__(spec, classes=classes, recipe=recipe)
        self.constants = constants
