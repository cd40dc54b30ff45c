"""The images that a run keeps for the figures: `samples.json` and the PNG files beside it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, TypeAdapter, ValidationError, ValidationInfo

from bench.records.entry import problems_of
from bench.types import Split


def _inside(name: Path, info: "ValidationInfo[Path]") -> Path:
    path = info.context / name
    if name.name != str(name) or not path.is_file():
        raise ValueError(f"names {str(name)!r}, which is not there")
    return path


Kept = Annotated[Path, AfterValidator(_inside)]


class Sample(BaseModel, frozen=True):
    """One Set-C image kept with its anonymised versions, for the figures."""

    image_id: str
    source: str
    split: Split
    attack: str
    original: Kept
    anonymised: dict[str, Kept]


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
        listed = TypeAdapter(tuple[Sample, ...])
        return listed.validate_json(index.read_bytes(), context=folder)
    except ValidationError as error:
        said = problems_of(error)
        raise ValueError(f"{index} is not a list of samples ({said}); run again") from error
