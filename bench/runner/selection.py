"""Names as people give them: separated by commas, with patterns and a few words."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable

from bench.contract import ATTACKS, VICTIMS, AttackSpec


def select_attacks(text: str) -> list[str]:
    """Names, patterns such as `cgan-*` and a few words, in order, each once.

    The words are `controls`, `targeted`, `preliminary` and `all`, which leaves the preliminary ones
    out. So does a pattern, unless it matches nothing else.

    Raises:
        UnknownNameError: If a name is not registered or a pattern matches nothing.
    """
    words: dict[str, Callable[[AttackSpec], bool]] = {
        "controls": lambda spec: spec.control,
        "targeted": lambda spec: spec.targeted and not spec.preliminary,
        "preliminary": lambda spec: spec.preliminary,
        "all": lambda spec: not spec.preliminary,
    }
    chosen: list[str] = []
    for word in _words(text):
        if word in words:
            chosen += [entry.spec.name for entry in ATTACKS if words[word](entry.spec)]
        else:
            found = [e.spec for e in ATTACKS if fnmatch.fnmatch(e.spec.name, word)]
            wanted = [spec for spec in found if not spec.preliminary] or found
            chosen += [spec.name for spec in wanted] or [ATTACKS.get(word).spec.name]
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
