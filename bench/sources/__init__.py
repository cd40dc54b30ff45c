"""What a plug-in is made of: its classes, all code that it imports, the files that it opens.

A plug-in's results are kept under a key that hashes all of it, so that those of another class or of
an edited version are never taken for them.
"""

from bench.sources.imports import Import, imports_of
from bench.sources.makeup import Makeup, makeup_of
from bench.sources.opened import as_built, files_opened_by, watch_opens
from bench.sources.places import is_somebodys

__all__ = [
    "Import",
    "Makeup",
    "as_built",
    "files_opened_by",
    "imports_of",
    "is_somebodys",
    "makeup_of",
    "watch_opens",
]
