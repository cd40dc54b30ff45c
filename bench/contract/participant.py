"""What attacks and victims have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from torch import nn

from bench.contract.specs import Spec
from bench.recipes import Recipe
from bench.types import Json

SpecT = TypeVar("SpecT", bound=Spec)


class Participant(nn.Module, Generic[SpecT]):
    """A network, or something like one, with a spec.

    Args:
        spec: Overrides the class's own spec (one implementation, several specs).
        classes: In-distribution camera models by name; labels and targets index them.
        recipe: Training budget.
    """

    spec: SpecT
    rewritable: ClassVar[tuple[str, ...]] = ()
    """Attributes that hold plain networks: once trained, the harness may put equal but faster ones
    in their place; a victim's backbone, from features to logits, may also compute in bf16."""

    def __init__(
        self,
        spec: SpecT | None = None,
        *,
        classes: Sequence[str] = (),
        recipe: Recipe | None = None,
    ) -> None:
        super().__init__()
        if spec is not None:
            self.spec = spec
        self.classes = tuple(classes)
        self.recipe = recipe

    @property
    def hyperparameters(self) -> Mapping[str, Json]:
        """Whatever beside spec and recipe name shapes the results; hashed into the key."""
        return {}
