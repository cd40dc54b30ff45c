"""Names as people give them: separated by commas, with patterns, a few words and plug-in files."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.contract import ATTACKS, VICTIMS
from bench.contract.plugin_files import is_plugin_file, load_plugin_file
from bench.registry import Registry
from bench.types import WrongUsageError
from bench.wording import split_names

ATTACK_WORDS: Mapping[str, Callable[[Any], bool]] = {
    "controls": lambda spec: spec.control and not spec.surrogates,
    "targeted": lambda spec: spec.targeted and not spec.preliminary,
    "preliminary": lambda spec: spec.preliminary,
    "all": lambda spec: not spec.preliminary,
}
VICTIM_WORDS: Mapping[str, Callable[[Any], bool]] = {
    "supplementary": lambda spec: spec.supplementary,
    "all": lambda spec: not spec.supplementary,
}


def select_attacks(wanted: str | Iterable[str]) -> list[str]:
    """Names, patterns such as `cgan-*`, `my.py:MyAttack` and a few words, in order, each once.

    The words are `controls` (those that need no network), `targeted`, `preliminary` and `all`,
    which leaves the preliminary ones out. So does a pattern, unless it matches nothing else.

    Raises:
        UnknownNameError: If a name is not registered or a pattern matches nothing.
        CamobenchError: If a plug-in file cannot be loaded; says why.
    """
    return _selected(_words(wanted, {entry.spec.name for entry in ATTACKS}), ATTACKS, ATTACK_WORDS)


def select_victims(wanted: str | Iterable[str], front_end: str | None = None) -> list[str]:
    """The same of victims; `all` and patterns leave out those that `supplementary` stands for.

    `timm:NAME` is any network of that library. A `front_end` stands before those that name none.

    Raises:
        WrongUsageError: If no name wants the front-end; else as `select_attacks`.
    """
    words = list(_words(wanted, {entry.spec.name for entry in VICTIMS}))
    if front_end:
        bare = {w for w in words if ":" in w and "/" not in w and not is_plugin_file(w)}
        if not bare:
            raise WrongUsageError(
                f"--front-end {front_end} is for networks of a library that name none, such as "
                "timm:resnet10t"
            )
        words = [f"{word}/{front_end}" if word in bare else word for word in words]
    return _selected(words, VICTIMS, VICTIM_WORDS)


def _selected(
    given: Iterable[str],
    registry: Registry[Any, Any],
    words: Mapping[str, Callable[[Any], bool]],
) -> list[str]:
    chosen: list[str] = []
    for word in given:
        if is_plugin_file(word):
            chosen += load_plugin_file(word, registry.kind).names
            continue
        specs = [entry.spec for entry in registry]
        if word in words:
            chosen += [spec.name for spec in specs if words[word](spec)]
            continue
        found = [spec for spec in specs if fnmatch.fnmatch(spec.name, word)]
        found = [spec for spec in found if words["all"](spec)] or found
        chosen += [spec.name for spec in found] or [registry.get(word).spec.name]
    return list(dict.fromkeys(chosen))


def _words(wanted: str | Iterable[str], known: Collection[str]) -> Iterator[str]:
    """The parts between commas; a known name, or that of a plug-in file, may hold commas."""
    for text in [wanted] if isinstance(wanted, str) else wanted:
        file, _, name = os.path.expanduser(text).rpartition(":")
        whole = "," not in name and is_plugin_file(text) and Path(file).is_file()
        yield from [text] if whole else split_names(text, known)
