"""Names as people give them: separated by commas, with patterns, a few words and plug-in files."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from bench.contract import ATTACKS, VICTIMS, AttackSpec
from bench.contract.plugin_files import is_plugin_file, load_plugin_file


def select_attacks(wanted: str | Iterable[str]) -> list[str]:
    """Names, patterns such as `cgan-*`, `my.py:MyAttack` and a few words, in order, each once.

    The words are `controls`, `targeted`, `preliminary` and `all`, which leaves the preliminary ones
    out. So does a pattern, unless it matches nothing else.

    Raises:
        UnknownNameError: If a name is not registered or a pattern matches nothing.
        CamobenchError: If a plug-in file cannot be loaded; says why.
    """
    words: dict[str, Callable[[AttackSpec], bool]] = {
        "controls": lambda spec: spec.control,
        "targeted": lambda spec: spec.targeted and not spec.preliminary,
        "preliminary": lambda spec: spec.preliminary,
        "all": lambda spec: not spec.preliminary,
    }
    chosen: list[str] = []
    for word in _words(wanted):
        if is_plugin_file(word):
            chosen += load_plugin_file(word, "attack").names
        elif word in words:
            chosen += [entry.spec.name for entry in ATTACKS if words[word](entry.spec)]
        else:
            found = [e.spec for e in ATTACKS if fnmatch.fnmatch(e.spec.name, word)]
            shown = [spec for spec in found if not spec.preliminary] or found
            chosen += [spec.name for spec in shown] or [ATTACKS.get(word).spec.name]
    return list(dict.fromkeys(chosen))


def select_victims(wanted: str | Iterable[str]) -> list[str]:
    """Names, patterns such as `pef-*`, `my.py:MyVictim`, or `all`, in order, each once.

    Raises:
        UnknownNameError: If a name is not registered or a pattern matches nothing.
        CamobenchError: If a plug-in file cannot be loaded; says why.
    """
    chosen: list[str] = []
    for word in _words(wanted):
        if is_plugin_file(word):
            chosen += load_plugin_file(word, "victim").names
        else:
            found = VICTIMS.names() if word == "all" else fnmatch.filter(VICTIMS.names(), word)
            chosen += found or [VICTIMS.get(word).spec.name]
    return list(dict.fromkeys(chosen))


def _words(wanted: str | Iterable[str]) -> Iterator[str]:
    """The parts between commas; the name of a plug-in file that is there may hold commas."""
    for text in [wanted] if isinstance(wanted, str) else wanted:
        file, _, name = text.rpartition(":")
        whole = "," not in name and is_plugin_file(text) and Path(file).expanduser().is_file()
        yield from filter(None, [text] if whole else map(str.strip, text.split(",")))
