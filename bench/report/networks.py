"""What a run wrote of its victims' networks (`victims.json`): size, cost, training.

Runs of older versions have no such file; their cards then say "not recorded".
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.report.records import RunData

VICTIMS_SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a network was trained, as its checkpoint's card says.

    Attributes:
        figures: Final losses and validation figures.
        curves: (step, value) of each loss.
        validation_of: Which weights the validation figures are of.
        hyperparameters: `None` on older cards.
        provenance: Code, packages and machine; `None` on older cards.
    """

    seconds: float
    figures: dict[str, float]
    curves: dict[str, tuple[tuple[int, float], ...]]
    weights_sha256: str
    validation_of: str
    hyperparameters: dict[str, Any] | None
    provenance: dict[str, Any] | None

    @property
    def validation_accuracy_percent(self) -> float | None:
        """On whole validation images, if it was measured."""
        return self.figures.get("validation_accuracy_percent")


@dataclass(frozen=True, kw_only=True)
class Network:
    """A victim's network.

    Attributes:
        parameters: Without those of a shared front-end.
        flops_per_image: Without the front-end; `None` where they could not be counted.
        training: `None` for a victim that learns nothing.
    """

    image_px: int
    parameters: int
    frontend_parameters: int
    flops_per_image: int | None
    frontend_flops_per_image: int | None
    training: Training | None


def load_networks(run: RunData) -> dict[str, Network]:
    """Victim name to network; empty without a `victims.json`.

    Raises:
        ValueError: If the file is damaged, of another schema, or of other victims than the run's.
    """
    path = run.directory / "victims.json"
    if not path.is_file():
        return {}
    content = _read(path)
    keys = {victim.name: victim.key for victim in run.victims}
    networks = {}
    try:
        for record in content["victims"]:
            name = record["name"]
            if keys.get(name) != record["key"]:
                raise ValueError(
                    f"{path} has victim {name!r} under key {record['key']!r}, the entries say "
                    f"{keys.get(name)!r}; the files are of different runs: run again"
                )
            networks[name] = _network(record, content["image_px"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is not as this version writes it ({error!r}); run again"
        ) from error
    return networks


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is not readable JSON ({error}); run again") from error
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != VICTIMS_SCHEMA:
        remedy = (
            "update camobench"
            if isinstance(schema, int) and schema > VICTIMS_SCHEMA
            else "run again"
        )
        raise ValueError(
            f"{path} has schema {schema!r}, this version reads {VICTIMS_SCHEMA}; {remedy}"
        )
    found: dict[str, Any] = content
    return found


def _network(record: dict[str, Any], image_px: int) -> Network:
    made = record["training"]
    fields = ("parameters", "frontend_parameters", "flops_per_image", "frontend_flops_per_image")
    return Network(
        image_px=image_px,
        training=None if made is None else _training(made),
        **{field: record[field] for field in fields},
    )


def _training(made: dict[str, Any]) -> Training:
    curves = {
        name: tuple((int(step), float(value)) for step, value in curve)
        for name, curve in made["curves"].items()
    }
    fields = ("seconds", "figures", "weights_sha256", "validation_of")
    return Training(
        curves=curves,
        hyperparameters=made.get("hyperparameters"),
        provenance=made.get("provenance"),
        **{field: made[field] for field in fields},
    )
