"""What is wrong with what came back, by kind: all of it, not the first of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from bench.types import Json

Gravity: TypeAlias = Literal["error", "partial", "note"]
EXAMPLES = 3
EXAMPLE_LETTERS = 200


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of problem.

    Attributes:
        name: A few words, unique.
        gravity: "error" refuses what came back, "partial" leaves holes, "note" changes nothing.
        remedy: What its sender does about it.
    """

    name: str
    gravity: Gravity
    remedy: str


@dataclass
class Problems:
    """Everything that was found so far, in the order of the first find."""

    found: dict[Kind, list[str]] = field(default_factory=dict)

    def add(self, kind: Kind, example: str) -> None:
        """Note one more."""
        self.found.setdefault(kind, []).append(example)

    def merge(self, other: Problems) -> None:
        """Note all of another."""
        for kind, examples in other.found.items():
            self.found.setdefault(kind, []).extend(examples)

    def of(self, gravity: Gravity) -> dict[Kind, list[str]]:
        """The kinds of one gravity."""
        return {kind: found for kind, found in self.found.items() if kind.gravity == gravity}

    def rows(self) -> list[dict[str, Json]]:
        """One row a kind for printing, the gravest first, with a few examples."""
        return [{**record, "examples": "; ".join(_few(found))} for record, found in self._records()]

    def records(self) -> list[dict[str, Json]]:
        """The same with all examples."""
        return [{**record, "examples": list(found)} for record, found in self._records()]

    def lines(self) -> list[dict[str, Json]]:
        """One row an example, the gravest first."""
        return [
            {
                "what": record["what"],
                "gravity": record["gravity"],
                "example": example,
                "remedy": record["remedy"],
            }
            for record, found in self._records()
            for example in found
        ]

    def _records(self) -> Iterator[tuple[dict[str, Json], list[str]]]:
        order = ("error", "partial", "note")
        for kind in sorted(self.found, key=lambda kind: order.index(kind.gravity)):
            found = sorted(self.found[kind])
            yield (
                {
                    "what": kind.name,
                    "gravity": kind.gravity,
                    "count": len(found),
                    "examples": "",
                    "remedy": kind.remedy,
                },
                found,
            )


def _few(found: list[str]) -> Iterator[str]:
    for example in found[:EXAMPLES]:
        short = len(example) <= EXAMPLE_LETTERS
        yield example if short else f"{example[: EXAMPLE_LETTERS - 3]}..."
    if len(found) > EXAMPLES:
        yield f"... {len(found) - EXAMPLES} more"


def printable(name: str) -> str:
    """A stranger's file name, safe to print: control characters are escaped, its length limited."""
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)
    return shown if len(shown) <= 80 else f"{shown[:60]}...{shown[-15:]}"
