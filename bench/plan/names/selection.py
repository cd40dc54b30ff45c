"""Names as people give them: separated by commas, with patterns, a few words and plug-in files."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from bench.contract import ATTACKS, VICTIMS, AttackSpec
from bench.contract.plugin_files import is_plugin_file, load_plugin_file
from bench.types import WrongUsageError
from bench.wording import split_names


def select_attacks(wanted: str | Iterable[str]) -> list[str]:
    """Names, patterns such as `cgan-*`, `my.py:MyAttack` and a few words, in order, each once.

    The words are `controls` (those that need no network), `targeted`, `preliminary` and `all`,
    which leaves the preliminary ones out. So does a pattern, unless it matches nothing else.

    Raises:
        UnknownNameError: If a name is not registered or a pattern matches nothing.
        CamobenchError: If a plug-in file cannot be loaded; says why.
    """
    words: dict[str, Callable[[AttackSpec], bool]] = {
        "controls": lambda spec: spec.control and not spec.surrogates,
        "targeted": lambda spec: spec.targeted and not spec.preliminary,
        "preliminary": lambda spec: spec.preliminary,
        "all": lambda spec: not spec.preliminary,
    }
    chosen: list[str] = []
    for word in _words(wanted, {entry.spec.name for entry in ATTACKS}):
        if is_plugin_file(word):
            chosen += load_plugin_file(word, "attack").names
        elif word in words:
            chosen += [entry.spec.name for entry in ATTACKS if words[word](entry.spec)]
        else:
            found = [e.spec for e in ATTACKS if fnmatch.fnmatch(e.spec.name, word)]
            shown = [spec for spec in found if not spec.preliminary] or found
            chosen += [spec.name for spec in shown] or [ATTACKS.get(word).spec.name]
    return list(dict.fromkeys(chosen))


def select_victims(wanted: str | Iterable[str], front_end: str | None = None) -> list[str]:
    """Names, patterns such as `pef-*`, `my.py:MyVictim` and a few words, in order, each once.

    The words are `supplementary`, and `all`, which leaves the supplementary ones out. So does a
    pattern, unless it matches nothing else. `timm:NAME` is any network of that library.

    Args:
        wanted: In a list, or separated by commas.
        front_end: Stands before the networks of a library that name none (`timm:resnet10t`).

    Raises:
        UnknownNameError: If a name is not registered or a pattern matches nothing.
        WrongUsageError: If no name wants the front-end.
        CamobenchError: If a plug-in file cannot be loaded; says why.
    """
    chosen: list[str] = []
    wants_front_end = False
    for word in _words(wanted, {entry.spec.name for entry in VICTIMS}):
        if is_plugin_file(word):
            chosen += load_plugin_file(word, "victim").names
            continue
        if front_end and ":" in word and "/" not in word:
            word, wants_front_end = f"{word}/{front_end}", True
        chosen += _matching(word) or [VICTIMS.get(word).spec.name]
    if front_end and not wants_front_end:
        raise WrongUsageError(
            f"--front-end {front_end} is for networks of a library that name none, such as "
            "timm:resnet10t"
        )
    return list(dict.fromkeys(chosen))


def _matching(word: str) -> list[str]:
    """Registered victims that a word or a pattern means."""
    specs = [entry.spec for entry in VICTIMS]
    if word in ("all", "supplementary"):
        return [spec.name for spec in specs if spec.supplementary == (word == "supplementary")]
    found = [spec for spec in specs if fnmatch.fnmatch(spec.name, word)]
    return [spec.name for spec in found if not spec.supplementary] or [s.name for s in found]


def _words(wanted: str | Iterable[str], known: Collection[str]) -> Iterator[str]:
    """The parts between commas; a known name, or that of a plug-in file, may hold commas."""
    for text in [wanted] if isinstance(wanted, str) else wanted:
        file, _, name = text.rpartition(":")
        whole = "," not in name and is_plugin_file(text) and Path(file).expanduser().is_file()
        yield from [text] if whole else split_names(text, known)
