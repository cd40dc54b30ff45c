"""The files of a stranger's folder or zip archive, listed and read one by one, never extracted.

Names are only ever compared, never opened as paths of ours. What an archive says of its sizes is
checked against limits first and against what comes out later; see CWE-22 (path traversal), CWE-59
(links) and CWE-409 (decompression bombs).
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from types import TracebackType

from bench.runner.challenge.directory import DirectoryError, read_directory
from bench.runner.challenge.png import DAMAGED, RefusedError
from bench.runner.challenge.problems import Kind, Problems, printable
from bench.types import WrongUsageError

LARGEST_RATIO = 100
"""PNG files hardly shrink any further; what inflates a hundredfold is no honest member."""
RATIO_FROM_BYTES = 1 << 16
LONGEST_NAME_BYTES = 1 << 10
ENTRY_BYTES = 1 << 9
"""Of a member in an archive's directory, on average."""

PATH_TRICK = Kind(
    name="path that leaves the archive",
    gravity="error",
    remedy="zip relative names without .., backslash or drive letter",
)
LINK = Kind(name="link or special file", gravity="error", remedy="send the file itself")
TOO_LARGE = Kind(name="too large for an image", gravity="error", remedy="send images alone")
BOMB = Kind(name="inflates beyond reason", gravity="error", remedy="zip the PNG files as they are")
LOCKED = Kind(name="encrypted file", gravity="error", remedy="zip without a password")
METHOD = Kind(name="unknown compression", gravity="error", remedy="zip by storing or deflating")
NAMELESS = Kind(name="file without a name", gravity="error", remedy="zip files by their names")
LONG_NAME = Kind(
    name="name that is too long", gravity="error", remedy="zip IMAGEID__TARGET.png or IMAGEID.png"
)
TOO_MANY = Kind(name="too many files", gravity="error", remedy="send the wanted files alone")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is believed of a stranger.

    Attributes:
        file_bytes: Of one file.
        files: In all.
    """

    file_bytes: int
    files: int

    @property
    def total_bytes(self) -> int:
        """Of all files together."""
        return self.file_bytes * self.files


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file: its path inside the folder or archive, for people, and its name."""

    path: str
    index: int

    @property
    def name(self) -> str:
        """Without any folder."""
        return PurePosixPath(self.path).name


class Members:
    """The readable files of a folder or zip; a context manager.

    Args:
        place: Folder or zip archive.
        limits: What is read at most.

    Attributes:
        problems: What cannot be read, and why.

    Raises:
        WrongUsageError: If `place` is neither.
    """

    def __init__(self, place: Path, limits: Limits) -> None:
        self.place, self.limits, self.problems = place, limits, Problems()
        self._closing = ExitStack()
        self._paths: list[Path] = []
        self._infos: list[zipfile.ZipInfo] = []
        self._archive: zipfile.ZipFile | None = None
        if place.is_dir():
            self._members = list(self._walk())
        elif place.is_file() and zipfile.is_zipfile(place):
            self._members = list(self._open_archive())
        else:
            raise WrongUsageError(
                f"{place} is neither a folder or zip of images, nor a CSV or Parquet file of "
                "predictions; send one of these"
            )

    def __enter__(self) -> Members:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.close()

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def read(self, member: Member) -> bytes:
        """All bytes of one file.

        Raises:
            RefusedError: If it is damaged, or larger than the limit or than it said.
        """
        try:
            if self._archive is None:
                with self._paths[member.index].open("rb") as stream:
                    data = stream.read(self.limits.file_bytes + 1)
            else:
                with self._archive.open(self._infos[member.index]) as stream:
                    data = stream.read(self.limits.file_bytes + 1)
        except (
            *(OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError),
            *(ValueError, RuntimeError),
        ) as error:
            raise RefusedError(DAMAGED, str(error) or type(error).__name__) from error
        if len(data) > self.limits.file_bytes:
            raise RefusedError(TOO_LARGE, f"more than {self.limits.file_bytes} bytes")
        return data

    def _walk(self) -> Iterator[Member]:
        for folder, folders, files in os.walk(self.place, followlinks=False):
            folders.sort()
            for name in sorted(files) + [f for f in folders if (Path(folder) / f).is_symlink()]:
                path = Path(folder) / name
                shown = path.relative_to(self.place).as_posix()
                found = path.lstat()
                if not stat.S_ISREG(found.st_mode):
                    self.problems.add(LINK, printable(shown))
                elif len(self._paths) == self.limits.files:
                    self.problems.add(TOO_MANY, f"more than {self.limits.files}")
                    return
                elif found.st_size > self.limits.file_bytes and _is_png(name):
                    self.problems.add(TOO_LARGE, f"{printable(shown)}: {found.st_size} bytes")
                else:
                    self._paths.append(path)
                    yield Member(path=shown, index=len(self._paths) - 1)

    def _open_archive(self) -> Iterator[Member]:
        if self.place.stat().st_size > self.limits.total_bytes:
            self.problems.add(TOO_LARGE, f"{printable(self.place.name)}: the whole archive")
            return
        if not self._is_directory_small():
            return
        try:
            self._archive = self._closing.enter_context(zipfile.ZipFile(self.place))
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            self.problems.add(DAMAGED, f"{printable(self.place.name)}: {error}")
            return
        infos = [info for info in self._archive.infolist() if not info.filename.endswith("/")]
        overlapping = _overlapping(infos)
        total = 0
        for info in infos:
            kind, detail = self._refusal(info)
            if kind is None and id(info) in overlapping:
                kind, detail = BOMB, "shares its bytes with another"
            total += info.file_size
            if kind is None and total > self.limits.total_bytes:
                kind, detail = BOMB, f"more than {self.limits.total_bytes} bytes in all"
            if kind is not None:
                detail = f": {detail}" if detail else ""
                self.problems.add(
                    kind, f"{printable(info.orig_filename) or self.place.name}{detail}"
                )
                continue
            self._infos.append(info)
            yield Member(path=info.filename, index=len(self._infos) - 1)

    def _is_directory_small(self) -> bool:
        """Whether an archive's directory can be made objects of."""
        shown, files = printable(self.place.name), self.limits.files
        try:
            found = read_directory(self.place, ENTRY_BYTES * files)
        except (DirectoryError, OSError) as error:
            self.problems.add(DAMAGED, f"{shown}: {error}")
            return False
        if found is None:
            self.problems.add(TOO_MANY, f"{shown}: a directory of more than {files} files")
        elif found.members > files:
            self.problems.add(TOO_MANY, f"{shown}: {found.members}, expected {files} at most")
        elif found.longest_name > LONGEST_NAME_BYTES:
            self.problems.add(LONG_NAME, f"{shown}: one of {found.longest_name} bytes")
        else:
            return True
        return False

    def _refusal(self, info: zipfile.ZipInfo) -> tuple[Kind | None, str]:
        """Why one member is not even looked at."""
        raw = info.orig_filename  # before zipfile made slashes of it
        if not PurePosixPath(raw).name:
            return NAMELESS, ""
        parts = raw.split("/")
        drive = len(raw) > 1 and raw[1] == ":"
        if "\\" in raw or "\0" in raw or raw.startswith("/") or drive or ".." in parts:
            return PATH_TRICK, ""
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            return LINK, ""
        if info.flag_bits & 0x1:
            return LOCKED, ""
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            return METHOD, f"method {info.compress_type}"
        if info.file_size > RATIO_FROM_BYTES:
            ratio = info.file_size / max(info.compress_size, 1)
            if ratio > LARGEST_RATIO:
                return BOMB, f"{ratio:.0f}-fold to {info.file_size} bytes"
        if info.file_size > self.limits.file_bytes and _is_png(raw):
            return TOO_LARGE, f"{info.file_size} bytes"
        return None, ""


def _is_png(name: str) -> bool:
    return name.lower().endswith(".png")


def _overlapping(infos: list[zipfile.ZipInfo]) -> set[int]:
    """Members whose bytes run into the next one's, by `id`: many names for the same data."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    header_bytes = 30
    return {
        id(later)
        for earlier, later in pairwise(ordered)
        if earlier.header_offset + header_bytes + earlier.compress_size > later.header_offset
    }
