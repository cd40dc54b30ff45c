"""The central directory of a stranger's zip archive, counted before `zipfile` makes objects of it.

`zipfile` reads as much as the end record says and makes an object of some kilobytes of each member,
however many there are (APPNOTE.TXT 6.3.10, 4.3.12-16).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

END, END_BYTES = b"PK\5\6", 22
LOCATOR, LOCATOR_BYTES = b"PK\6\7", 20
END_64, END_64_BYTES = b"PK\6\6", 56
MEMBER, MEMBER_BYTES = b"PK\1\2", 46
TAIL_BYTES = END_64_BYTES + LOCATOR_BYTES + END_BYTES + (1 << 16)
"""All three records, and the longest comment."""


class DirectoryError(Exception):
    """It is damaged."""


@dataclass(frozen=True, kw_only=True)
class Directory:
    """What a central directory holds.

    Attributes:
        members: Number of entries, folders too.
        longest_name: In bytes.
    """

    members: int
    longest_name: int


def read_directory(place: Path, most_bytes: int) -> Directory | None:
    """Count what an archive's central directory holds; `None` where it is larger than expected.

    Args:
        place: The archive.
        most_bytes: Of the directory.

    Raises:
        DirectoryError: If it is damaged.
        OSError: If the file cannot be read.
    """
    length = place.stat().st_size
    with place.open("rb") as stream:
        tail = stream.seek(max(0, length - TAIL_BYTES))
        data = stream.read()
        at = len(data) - END_BYTES
        if not (data[at:].startswith(END) and data[-2:] == b"\0\0"):
            at = data.rfind(END)
        if at < 0 or at + END_BYTES > len(data):
            raise DirectoryError("it has no end record")
        size = struct.unpack_from("<I", data, at + 12)[0]
        end = tail + at
        if data[max(0, at - LOCATOR_BYTES) : at].startswith(LOCATOR):
            at -= LOCATOR_BYTES + END_64_BYTES
            if at >= 0 and data[at:].startswith(END_64):
                size, end = struct.unpack_from("<Q", data, at + 40)[0], tail + at
        if size > most_bytes:
            return None
        if size > end:
            raise DirectoryError("its directory is cut off")
        stream.seek(end - size)
        return _count(stream.read(size))


def _count(data: bytes) -> Directory:
    at = members = longest = 0
    while at < len(data):
        if at + MEMBER_BYTES > len(data) or not data.startswith(MEMBER, at):
            raise DirectoryError("its directory is damaged")
        name, extra, comment = struct.unpack_from("<HHH", data, at + 28)
        members, longest = members + 1, max(longest, name)
        at += MEMBER_BYTES + name + extra + comment
    return Directory(members=members, longest_name=longest)
