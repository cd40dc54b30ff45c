"""How messages word lists, counts, times and near misses."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

MOST_LISTED = 5
MOST_NEAR = 3
NEAR = 0.5


def listed(items: Iterable[str], most: int = MOST_LISTED) -> str:
    """Join items with commas; of many, the first few and how many more."""
    found = list(items)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def one_line(text: str) -> str:
    """What a stranger wrote, with blanks for what cannot be printed in one line."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def plural(count: int, noun: str) -> str:
    """A number and its noun: "1 device", "2 devices"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def in_seconds(seconds: float) -> str:
    """A time limit: "3600 s", "0.5 s"."""
    return f"{round(seconds, 2):.10g} s"


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Of a name that is none of the known ones: "unknown recipe 'mimi': did you mean mini?"."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=MOST_NEAR, cutoff=NEAR)
    meant = f"did you mean {', '.join(close)}?" if close else f"it is none of {listed(names, 20)}."
    return f"unknown {kind} {name!r}: {meant}"


def split_names(text: str, known: Collection[str]) -> list[str]:
    """The names between commas; those `known` may hold commas themselves, the longest first.

    Blanks around a name do not count, nor those of a known one.
    """
    whole = {name.strip(): name for name in known}
    parts, found = text.split(","), []
    while parts:
        ends = range(len(parts), 0, -1)
        end = next((end for end in ends if ",".join(parts[:end]).strip() in whole), 1)
        name = ",".join(parts[:end]).strip()
        found.append(whole.get(name, name))
        del parts[:end]
    return list(filter(None, found))
