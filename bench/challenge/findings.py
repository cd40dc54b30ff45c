"""What is wrong with an answer, by kind: all of it, not the first of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

Gravity: TypeAlias = Literal["error", "partial", "note"]
EXAMPLES = 3
EXAMPLE_LETTERS = 200


@dataclass(frozen=True)
class Kind:
    """A kind of finding: its name, unique, and what its sender does about it.

    Attributes:
        gravity: "error" refuses an answer, "partial" leaves holes, "note" changes nothing.
    """

    name: str
    gravity: Gravity
    remedy: str


@dataclass
class Findings:
    """Everything that was found so far, by kind."""

    found: dict[Kind, list[str]] = field(default_factory=dict)

    def add(self, kind: Kind, example: str) -> None:
        """Note one more."""
        self.found.setdefault(kind, []).append(example)

    def of(self, gravity: Gravity) -> dict[str, list[str]]:
        """Those of one gravity, by the name of their kind."""
        return {kind.name: found for kind, found in self.found.items() if kind.gravity == gravity}

    def records(self) -> list[dict[str, Any]]:
        """One row a kind, the gravest first, with all examples."""
        gravest = sorted(self.found, key=lambda kind: get_args(Gravity).index(kind.gravity))
        return [
            {
                "what": kind.name,
                "gravity": kind.gravity,
                "count": len(self.found[kind]),
                "examples": sorted(self.found[kind]),
                "remedy": kind.remedy,
            }
            for kind in gravest
        ]

    def rows(self) -> list[dict[str, Any]]:
        """The same for printing, with a few examples."""
        return [{**row, "examples": "; ".join(_few(row["examples"]))} for row in self.records()]

    def lines(self) -> list[dict[str, Any]]:
        """One row an example, the gravest first."""
        return [{**row, "examples": one} for row in self.records() for one in row["examples"]]


class RefusedError(Exception):
    """A file that cannot be scored, of what kind of finding, and what it is instead."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(f"{kind.name}: {detail}")
        self.kind, self.detail = kind, detail


def _few(found: list[str]) -> list[str]:
    shown = [
        one if len(one) <= EXAMPLE_LETTERS else f"{one[: EXAMPLE_LETTERS - 3]}..."
        for one in found[:EXAMPLES]
    ]
    return shown + ([f"... {len(found) - EXAMPLES} more"] if len(found) > EXAMPLES else [])
