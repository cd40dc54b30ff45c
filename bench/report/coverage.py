"""How much of what was asked for was answered: images or predictions made elsewhere may be partial.

What is missing is never filled in, and a partial row says so wherever it stands.
"""

from dataclasses import dataclass
from typing import Any

PARTIAL = "(partial)"


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Images (with their targets) that there are, of those that the protocol wants."""

    scored: int
    wanted: int

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return self.scored == self.wanted

    def __str__(self) -> str:
        return f"{self.scored} of {self.wanted} images"


def partial_coverage(record: dict[str, Any]) -> Coverage | None:
    """What an entry says of an attack or a victim that is partial; `None` for a whole one.

    Raises:
        ValueError: If it cannot be.
    """
    stated = record.get("coverage")
    if stated is None:
        return None
    found = Coverage(scored=stated["scored"], wanted=stated["wanted"])
    if not 0 < found.scored <= found.wanted:
        raise ValueError(f"{record['name']} states a coverage of {found}; score it anew")
    return None if found.whole else found
