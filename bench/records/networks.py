"""What a run wrote of its victims' networks (`victims.json`): size, cost, training."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, Field, ValidationError

from bench.records.entry import problems_of
from bench.records.load import match_keys
from bench.records.run import RunData

VICTIMS_SCHEMA = 1


class Training(BaseModel, frozen=True):
    """How a network was trained, as its checkpoint's card says.

    Attributes:
        figures: Final losses and validation figures.
        curves: (step, value) of each loss.
        hyperparameters: `None` on older cards.
        provenance: Code, packages and machine; `None` on older cards.
    """

    seconds: float
    figures: dict[str, float]
    curves: dict[str, tuple[tuple[float, float], ...]]
    weights_sha256: str
    hyperparameters: dict[str, Any] | None = None
    provenance: dict[str, Any] | None = None

    @property
    def validation_accuracy_percent(self) -> float | None:
        """On whole validation images, if it was measured."""
        return self.figures.get("validation_accuracy_percent")


class Network(BaseModel, frozen=True):
    """A victim's network.

    Attributes:
        parameters: Without those of a shared front-end.
        flops_per_image: Without the front-end; `None` where they could not be counted.
        training: `None` for a victim that learns nothing.
    """

    name: str
    key: str
    image_px: int = 0
    parameters: int
    frontend_parameters: int
    flops_per_image: int | None
    frontend_flops_per_image: int | None
    training: Training | None


class Networks(BaseModel, frozen=True):
    """All of `victims.json`."""

    version: Literal[1] = Field(alias="schema")
    image_px: int
    victims: tuple[Network, ...]


def load_networks(run: RunData) -> dict[str, Network]:
    """Victim name to network; none without a `victims.json`.

    Raises:
        ValueError: If the file is damaged, of another schema, or of other victims than the run's.
    """
    path = run.directory / "victims.json"
    if not path.is_file():
        return {}
    try:
        found = Networks.model_validate_json(path.read_bytes())
    except ValidationError as error:
        said = problems_of(error)
        raise ValueError(f"{path} is not as this version writes it: {said}; run again") from error
    except OSError as error:
        raise ValueError(f"{path} is not readable ({error}); run again") from error
    rows = pd.DataFrame(
        [(one.name, one.key) for one in found.victims], columns=["victim", "victim_key"]
    )
    match_keys(rows, path, "victim", {victim.name: victim.key for victim in run.victims})
    side = {"image_px": found.image_px}
    return {one.name: one.model_copy(update=side) for one in found.victims}
