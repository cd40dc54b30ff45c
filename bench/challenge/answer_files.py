"""The files of a stranger's folder or zip archive, listed and read one by one, never extracted.

Names are only ever compared, never opened as paths of ours, and of no file is more inflated than an
image can have; see CWE-22 (path traversal), CWE-59 (links) and CWE-409 (decompression bombs).
"""

from __future__ import annotations

import io
import os
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from bench.challenge.findings import Findings, Kind, RefusedError
from bench.types import WrongUsageError
from bench.wording import one_line

ENTRY_BYTES = 1 << 9
"""Of a file in an archive's directory, on average."""
UNREADABLE = (
    *(OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, struct.error),
    RuntimeError,  # encrypted, or of a version that `zipfile` does not know
)

DAMAGED = Kind("unreadable or truncated", "error", "write it again")
PATH_TRICK = Kind("path that leaves the archive", "error", "zip plain relative names")
LINK = Kind("link or special file", "error", "send the file itself")
TOO_LARGE = Kind("too large for an image", "error", "send images alone")
METHOD = Kind("unknown compression", "error", "zip by storing or deflating")
TOO_MANY = Kind("too many files", "error", "send the wanted files alone")


@dataclass(frozen=True, kw_only=True)
class AnswerFile:
    """One file: its path inside the folder or archive, and what gives its bytes."""

    path: str
    open: Callable[[], IO[bytes]]

    @property
    def shown(self) -> str:
        """Its path, for people."""
        return one_line(self.path)


class AnswerFiles(ExitStack):
    """The readable files of a folder or zip; a context manager.

    Attributes:
        most_bytes: That are read of one file.
        most_files: That are read at all.
        files: Those that can be read.
        findings: What cannot be read, and why.

    Raises:
        WrongUsageError: If `place` is neither.
    """

    def __init__(self, place: Path, *, most_bytes: int, most_files: int) -> None:
        self.place, self.most_bytes, self.most_files = place, most_bytes, most_files
        self.findings, self.files = Findings(), list[AnswerFile]()
        super().__init__()
        if place.is_dir():
            found = self._walk()
        elif place.is_file() and zipfile.is_zipfile(place):
            found = self._archived()
        else:
            raise WrongUsageError(
                f"{place} is neither a folder or zip of images, nor a CSV or Parquet file of "
                "predictions; send one of these"
            )
        for one, size in found:
            if len(self.files) == most_files:
                self.findings.add(TOO_MANY, f"more than {most_files}")
                break
            if size > most_bytes and one.path.lower().endswith(".png"):
                self.findings.add(TOO_LARGE, f"{one.shown}: {size} bytes")
            else:
                self.files.append(one)

    def read(self, file: AnswerFile) -> bytes:
        """All bytes of one file.

        Raises:
            RefusedError: If it is damaged or encrypted, or larger than the limit or than it said.
        """
        try:
            with file.open() as stream:
                data = stream.read(self.most_bytes + 1)
        except UNREADABLE as error:
            raise RefusedError(DAMAGED, str(error) or type(error).__name__) from error
        if len(data) > self.most_bytes:
            raise RefusedError(TOO_LARGE, f"more than {self.most_bytes} bytes")
        return data

    def _walk(self) -> Iterator[tuple[AnswerFile, int]]:
        for folder, folders, names in os.walk(self.place):
            folders.sort()
            for path in sorted(Path(folder, name) for name in [*names, *folders]):
                shown, found = path.relative_to(self.place).as_posix(), path.lstat()
                if stat.S_ISREG(found.st_mode):
                    yield AnswerFile(path=shown, open=partial(io.FileIO, path)), found.st_size
                elif not stat.S_ISDIR(found.st_mode):
                    self.findings.add(LINK, one_line(shown))

    def _archived(self) -> Iterator[tuple[AnswerFile, int]]:
        shown = one_line(self.place.name)
        try:
            reader = _Reader(self.place, max(ENTRY_BYTES * self.most_files, self.most_bytes + 1))
            self.enter_context(reader)
            archive = self.enter_context(zipfile.ZipFile(reader))
        except RefusedError as error:
            self.findings.add(error.kind, f"{shown}: {error.detail}")
            return
        except UNREADABLE as error:
            self.findings.add(DAMAGED, f"{shown}: {error}")
            return
        # Newer Pythons warn of files that share bytes; here each is judged by itself, in threads.
        warnings.filterwarnings("ignore", "Overlapped entries", UserWarning)
        for info in archive.infolist():
            one = AnswerFile(path=info.filename, open=partial(archive.open, info))
            raw = info.orig_filename  # before zipfile made slashes of it
            absolute = raw.startswith("/") or raw[1:2] == ":"
            if absolute or "\\" in raw or "\0" in raw or ".." in raw.split("/"):
                self.findings.add(PATH_TRICK, one_line(raw))
            elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                self.findings.add(METHOD, f"{one.shown}: method {info.compress_type}")
            elif not info.is_dir():
                yield one, info.file_size


class _Reader(io.BufferedReader):
    """An archive of which only so much is read at once.

    `zipfile` reads the whole directory, as large as the archive says that it is, and makes an
    object of some kilobytes of each file in it (APPNOTE.TXT 6.3.10, 4.3.12-16).
    """

    def __init__(self, path: Path, most: int) -> None:
        super().__init__(io.FileIO(path))
        self.most, self.length = max(most, 1 << 20), path.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """As of any file, but too much is refused."""
        left = max(0, self.length - self.tell())
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > self.most:
            raise RefusedError(TOO_MANY, f"a directory of {wanted} bytes")
        return super().read(wanted)
