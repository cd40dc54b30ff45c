"""The images that a run keeps for the figures: `samples.json` and the PNG files beside it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One Set-C image kept with its anonymised versions, for the figures."""

    image_id: str
    source: str
    split: str
    attack: str
    original: Path
    anonymised: dict[str, Path]


def most_complete(attacks: Iterable[Any]) -> str | None:
    """The attack whose images are shown: the full method, else the one with most LAACs.

    One of the paper's preliminary findings is shown only where there is nothing else.

    Args:
        attacks: Their specs, or records of entries.
    """

    def rank(attack: Any) -> tuple[bool, int, bool]:
        return not attack.preliminary, len(attack.laac), not attack.scfa

    targeted = [attack for attack in attacks if attack.targeted]
    return str(max(targeted, key=rank).name) if targeted else None


def load_samples(folder: Path) -> tuple[Sample, ...]:
    """Read `samples.json`; no such file means no samples.

    Raises:
        ValueError: If it is not a list of samples, or names a file that is not beside it.
    """
    index = folder / "samples.json"
    if not index.is_file():
        return ()
    try:
        records = json.loads(index.read_text(encoding="utf-8"))
        samples = tuple(
            Sample(
                image_id=record["image_id"],
                source=record["source"],
                split=record["split"],
                attack=record["attack"],
                original=_inside(folder, record["original"]),
                anonymised={t: _inside(folder, p) for t, p in record["anonymised"].items()},
            )
            for record in records
        )
    except (OSError, KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise ValueError(f"{index} is not a list of samples ({error!r}); run again") from error
    return samples


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if Path(name).name != name or not path.is_file():
        raise ValueError(f"{folder / 'samples.json'} names {name!r}, which is not there; run again")
    return path
