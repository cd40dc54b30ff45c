"""What attacks and victims have in common."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, final

from torch import nn

from bench.contract.specs import Spec
from bench.recipes import Recipe
from bench.types import CamobenchError, Json, as_json

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
    def hyperparameters(self) -> Mapping[str, Any]:
        """Whatever beside spec and recipe name shapes the results; hashed into the key.

        A `Path` stands for the content of that file, such as weights that were trained elsewhere;
        a relative one starts at the folder of the class's own file.
        """
        return {}

    @final
    def stated_hyperparameters(self) -> dict[str, Json]:
        """`hyperparameters` as keys and entries hold them: files by their SHA-256.

        Raises:
            CamobenchError: If a file that they name cannot be read.
        """
        return {name: self._stated(value) for name, value in self.hyperparameters.items()}

    def _stated(self, value: Any) -> Json:
        if not isinstance(value, Path):
            return as_json(value)
        path = Path(inspect.getfile(type(self))).parent / value
        try:
            with path.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise CamobenchError(
                f"{self.spec.name} names {path} in its `hyperparameters`, which cannot be read "
                f"({error.strerror}); put the file there or name the right one"
            ) from error
        return {"file": path.name, "sha256": sha256}
