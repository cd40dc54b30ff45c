"""What a plug-in is made of: its classes, all code that it imports, the files that it opens.

A plug-in's results are kept under a key that hashes all of it, so that those of another class or of
an edited version are never taken for them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from bench.sources.imports import Code, code_of
from bench.sources.opened import outside_of
from bench.sources.values import Telling


@dataclass(frozen=True, kw_only=True)
class Makeup(Code):
    """What a plug-in is made of: all of its code, and more.

    Attributes:
        sha256: Over its classes, its code and the versions of the packages that it imports.
        untold: What it holds that cannot be told from another of its kind, for people.
    """

    sha256: str
    untold: tuple[str, ...]


def makeup_of(builder: object) -> Makeup:
    """What is behind the builder of a plug-in: a class, a function, a partial, an object.

    Raises:
        CamobenchError: As `code_of`.
    """
    telling = Telling(builder)
    code = code_of(telling.modules, telling.libraries)
    untold = tuple(sorted(telling.not_covered))
    outside = [f"what it was told when it {what}" for what in outside_of(code.paths)]
    whole = json.dumps([telling.json, code.files, code.distributions], sort_keys=True)
    sha256, not_covered = hashlib.sha256(whole.encode()), (*code.not_covered, *untold, *outside)
    told = {**vars(code), "not_covered": not_covered}
    return Makeup(**told, sha256=sha256.hexdigest(), untold=untold)
