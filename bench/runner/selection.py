"""Names as people give them: separated by commas, with patterns and a few words."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable

from bench.contract import ATTACKS, VICTIMS, AttackSpec
from bench.types import WrongUsageError


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


def select_victims(text: str, front_end: str | None = None) -> list[str]:
    """Names, patterns such as `pef-*` and a few words, in order, each once.

    The words are `supplementary`, and `all`, which leaves the supplementary ones out. So does a
    pattern, unless it matches nothing else.

    Args:
        text: Separated by commas.
        front_end: Stands before the backbones of a library that name none (`timm:resnet10t`).

    Raises:
        UnknownNameError: If a name is not registered or a pattern matches nothing.
        WrongUsageError: If no name wants the front-end.
    """
    specs = [entry.spec for entry in VICTIMS]
    chosen: list[str] = []
    wanted_it = False
    for word in _words(text):
        if word in ("all", "supplementary"):
            found = [s for s in specs if s.supplementary == (word == "supplementary")]
        else:
            found = [s for s in specs if fnmatch.fnmatch(s.name, word)]
            found = [s for s in found if not s.supplementary] or found
        if not found and front_end and ":" in word and "/" not in word:
            word, wanted_it = f"{word}/{front_end}", True
        chosen += [s.name for s in found] or [VICTIMS.get(word).spec.name]
    if front_end and not wanted_it:
        raise WrongUsageError(
            f"--front-end {front_end} is for backbones of a library that name none, such as "
            "timm:resnet10t"
        )
    return list(dict.fromkeys(chosen))


def _words(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
