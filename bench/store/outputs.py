"""Where results go: nothing replaces what something else made.

A folder of results carries a note of what it was made of, and is written into again only by a
command that makes at least the same. A single file that is there stays: the same bytes stand for
the new ones, others are refused or get a number beside them.
"""

from __future__ import annotations

import json
import os
import tempfile
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import chain, count
from pathlib import Path

from bench.store import explaining_full_disk, write_json
from bench.types import CamobenchError, Json, as_json

NOTE = ".camobench.json"


def require_own(
    folder: Path, kind: str, made_of: Mapping[str, object], names: Sequence[str] = ()
) -> None:
    """Refuse to write results of a kind into a folder where others would be lost.

    It must be new, empty, or noted for this kind, as made of no more: a list may grow from one
    command to the next. With the `names` of all that is written, it may hold other things beside.

    Raises:
        CamobenchError: If it holds something else.
        PermissionError: If nothing can be written there.
    """
    there = next(one for one in (folder, *folder.parents) if os.path.lexists(one))
    if not there.is_dir():
        raise CamobenchError(f"{there} is no folder; choose another --out")
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(f"{there} cannot be written into; choose another --out")
    if there != folder:
        return
    noted = _notes(folder).get(kind)
    if noted is None:
        found = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
        found = sorted(set(found).intersection(names) if names else found)
        if found:
            raise CamobenchError(
                f"{folder} holds {found[0]}, which nothing says that this command made: choose "
                "another --out, or remove it"
            )
        return
    for name, value in made_of.items():
        before, now = noted.get(name), as_json(value)
        grown = isinstance(before, list) and isinstance(now, list) and all(o in now for o in before)
        if before != now and not grown:
            raise CamobenchError(
                f"{folder} holds what another command made ({name} {_shown(before)}, here "
                f"{_shown(now)}), which would be lost: choose another --out, or remove it"
            )


def own_folder(folder: Path, kind: str, made_of: Callable[[Path], Mapping[str, object]]) -> Path:
    """The folder, or the first with a number behind its name, where no others would be lost."""
    others = (folder.with_name(f"{folder.name}-{number}") for number in count(2))
    for one in chain([folder], others if folder.parent.is_dir() else ()):
        with suppress(CamobenchError):
            require_own(one, kind, made_of(one))
            break
    return one


def note_own(folder: Path, kind: str, made_of: Mapping[str, object]) -> None:
    """Note what a folder's results are made of; called before the first of them is written."""
    write_json(folder / NOTE, {**_notes(folder), kind: dict(made_of)})


def _notes(folder: Path) -> dict[str, dict[str, Json]]:
    try:
        notes = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {kind: note for kind, note in dict(notes).items() if isinstance(note, dict)}


def _shown(value: Json) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def write_new(path: Path, data: bytes) -> None:
    """Write a file, but refuse to replace one that holds other bytes."""
    if not _placed(data, path) and not _holds(path, data):
        raise CamobenchError(f"{path} is there and holds something else: choose another name")


class Additions:
    """Files added to a folder that others add to, too; it is made with its first file.

    Two inputs of one name get two names, `DSC_1__T.png` and `DSC_1-2__T.png`. What was made before
    is found again by its bytes. Names that differ in case or Unicode form alone count as one: on
    some file systems they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._mine = folder, set[Path]()
        there = folder.iterdir() if folder.is_dir() else ()
        self._there = {_folded(path.name): path for path in there}

    def add(self, stem: str, ending: str, data: bytes) -> Path:
        """Write a file called `stem`, a number where that name is taken, and `ending`."""
        for number in count(1):
            name = f"{stem}{'' if number == 1 else f'-{number}'}{ending}"
            path = self._there.setdefault(_folded(name), self.folder / name)
            if path not in self._mine and (_placed(data, path) or _holds(path, data)):
                break
        self._mine.add(path)
        return path


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data


def _placed(data: bytes, path: Path) -> bool:
    """Write a whole file in one step, unless one is there, however late another process made it."""
    if os.path.lexists(path):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        explaining_full_disk(path.parent),
        tempfile.TemporaryDirectory(
            prefix=".made.", dir=path.parent, ignore_cleanup_errors=True
        ) as holder,
    ):
        made = Path(holder, "file")
        made.write_bytes(data)
        try:
            os.link(made, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links
            made.rename(path)
    return True
