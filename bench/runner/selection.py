"""Names as people give them: separated by commas, with patterns and a few words."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable

from bench.contract import ATTACKS, VICTIMS, AttackSpec


def select_attacks(text: str) -> list[str]:
    """Names, patterns such as `cgan-*`, `controls`, `targeted` or `all`, in order, each once.

    Raises:
        UnknownNameError: If a name is not registered or a pattern matches nothing.
    """
    words: dict[str, Callable[[AttackSpec], bool]] = {
        "controls": lambda spec: spec.control,
        "targeted": lambda spec: spec.targeted,
        "all": lambda spec: True,
    }
    chosen: list[str] = []
    for word in _words(text):
        if word in words:
            chosen += [entry.spec.name for entry in ATTACKS if words[word](entry.spec)]
        else:
            chosen += fnmatch.filter(ATTACKS.names(), word) or [ATTACKS.get(word).spec.name]
    return list(dict.fromkeys(chosen))


def select_victims(text: str) -> list[str]:
    """Names, patterns such as `pef-*`, or `all`, in order, each once.

    Raises:
        UnknownNameError: If a name is not registered or a pattern matches nothing.
    """
    chosen: list[str] = []
    for word in _words(text):
        found = VICTIMS.names() if word == "all" else fnmatch.filter(VICTIMS.names(), word)
        chosen += found or [VICTIMS.get(word).spec.name]
    return list(dict.fromkeys(chosen))


def _words(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
