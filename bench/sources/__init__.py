"""What a plug-in is made of: its classes, all code that it imports, the files that it opens.

A plug-in's results are kept under a key that hashes all of it, so that those of another class or of
an edited version are never taken for them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.sources.imports import code_of
from bench.sources.opened import outside_of
from bench.sources.values import Telling


@dataclass(frozen=True, kw_only=True)
class Makeup:
    """What a plug-in is made of.

    Attributes:
        sha256: Over its classes, its code and the versions of the packages that it imports.
        files: SHA-256 of each of its modules, by the module's name.
        paths: That of their files, by path.
        distributions: Versions of the installed packages that it imports, by name.
        untold: What it holds that cannot be told from another of its kind, for people.
        not_covered: That, and what else shapes its results perhaps and is not hashed.
        computes_imports: Whether it imports modules by computed names.
    """

    sha256: str
    files: Mapping[str, str]
    paths: Mapping[Path, str]
    distributions: Mapping[str, str]
    untold: tuple[str, ...]
    not_covered: tuple[str, ...]
    computes_imports: bool


def makeup_of(builder: object) -> Makeup:
    """What is behind the builder of a plug-in: a class, a function, a partial, an object.

    Raises:
        CamobenchError: As `code_of`.
    """
    telling = Telling(builder)
    code = code_of(telling.modules, telling.libraries)
    untold = tuple(sorted(telling.not_covered))
    outside = [f"what it was told when it {what}" for what in outside_of(code.paths)]
    whole = json.dumps([telling.json, code.sha256, code.distributions], sort_keys=True)
    return Makeup(
        sha256=hashlib.sha256(whole.encode()).hexdigest(),
        files=code.sha256,
        paths=code.paths,
        distributions=code.distributions,
        untold=untold,
        not_covered=(*code.not_covered, *untold, *outside),
        computes_imports=code.computes_imports,
    )
