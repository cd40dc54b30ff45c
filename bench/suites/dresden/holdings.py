"""How much of the protocol a copy of the Dresden images holds, model by model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tabulate import tabulate

from bench.suites.dresden.protocol import DRESDEN_V1, Pinned, protocol
from bench.types import SETS, CamobenchError, SetName

NEEDED: Mapping[SetName, int] = {"A": 2, "B": 2, "C": 1}  # training and validation; evaluation

Counts: TypeAlias = Mapping[tuple[str, str], int]  # photographs by model and set


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """Photographs found and expected, by camera model and set."""

    found: Counts
    expected: Counts

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.found == self.expected

    @property
    def classes(self) -> tuple[str, ...]:
        """The in-distribution models that have photographs for all sets."""
        return tuple(
            model
            for model in DRESDEN_V1.models_in
            if all(self.found[model, name] >= NEEDED[name] for name in SETS)
        )

    @property
    def others(self) -> tuple[str, ...]:
        """The out-of-distribution models that have photographs."""
        return tuple(model for model in DRESDEN_V1.models_out if self.found[model, "C"])

    def table(self) -> str:
        """Found of expected, a camera model a line."""
        rows = [
            (model, *(self._share(model, name) for name in SETS))
            for model in DRESDEN_V1.models_in + DRESDEN_V1.models_out
        ]
        return str(tabulate(rows, headers=["camera model", *(f"Set-{name}" for name in SETS)]))

    def summary(self) -> str:
        """The same for the incomplete models, in one line."""
        listed = []
        for model in DRESDEN_V1.models_in + DRESDEN_V1.models_out:
            lacking = [
                f"{name} {self._share(model, name)}"
                for name in SETS
                if self.found[model, name] < self.expected[model, name]
            ]
            if lacking:
                listed.append(f"{model} ({', '.join(lacking)})")
        return ", ".join(listed)

    def _share(self, model: str, name: SetName) -> str:
        expected = self.expected[model, name]
        return f"{self.found[model, name]}/{expected}" if expected else ""


def coverage(found: Collection[Pinned]) -> Holdings:
    """Count what was found and what the protocol lists."""
    places = protocol()
    return Holdings(
        found=Counter((photo.model, places[photo].set) for photo in found),
        expected=Counter((photo.model, place.set) for photo, place in places.items()),
    )


def require(
    covered: Holdings, found: Collection[Pinned], root: str, inventory: str, *, partial: bool
) -> None:
    """Refuse a copy that the suite cannot be made of.

    Args:
        covered: Of `found`.
        found: Photographs of the protocol.
        root: The copy, for messages.
        inventory: What else it holds, for messages.
        partial: Whether something may be missing.

    Raises:
        CamobenchError: If it holds nothing of the protocol, if something is missing and `partial`
            was not asked for, or if what is there makes no two classes.
    """
    if not found:
        raise CamobenchError(
            f"{root} holds no photograph of the twelve camera models of {DRESDEN_V1.name}; found "
            f"{inventory}. Check --root, or make a suite of the cameras that are there: "
            f"`folder:{root}`"
        )
    if not partial and not covered.complete:
        there = set(found)
        missing = [photo for photo in protocol() if photo not in there]
        raise CamobenchError(
            f"{root} lacks {len(missing)} of the {len(protocol())} photographs of "
            f"{DRESDEN_V1.name}, such as {missing[0].name}.JPG. Found of expected:\n\n"
            f"{covered.table()}\n\nadd them, or use what is there with --partial (`partial=True`)"
        )
    if len(covered.classes) < 2:
        raise CamobenchError(
            f"{root} has too little of {DRESDEN_V1.name}: fewer than two in-distribution models "
            f"have photographs for all sets. Found of expected:\n\n{covered.table()}\n\nadd "
            f"photographs, or make a suite of the cameras that are there: `folder:{root}`"
        )
