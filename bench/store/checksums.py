"""SHA-256 of what the store holds, kept with it, so that damage that still reads is found.

Beside a large file `NAME` lies `NAME.sha256`, a line as `sha256sum` writes it and
`sha256sum --check` reads it; a JSON record carries its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.store import digest, file_digest, read_json, write_json
from bench.types import CamobenchError

BLOCK_BYTES = 1 << 20
FIELD = "sha256"


def checksum_file(path: Path) -> Path:
    """Where the checksum of a file is kept."""
    return path.with_name(f"{path.name}.sha256")


def keep_checksum(path: Path, written: Path | None = None) -> None:
    """Keep the checksum of a file.

    Args:
        path: The file.
        written: Where its bytes are so far, if it is still to be renamed to `path`. A run killed in
            between leaves a checksum without its file, or one that no longer fits: never a damaged
            file that seems whole.
    """
    line = f"{file_digest(written or path)}  {path.name}\n"
    checksum_file(path).write_text(line, encoding="utf-8", newline="\n")


def kept_checksum(path: Path) -> str | None:
    """SHA-256 of a file as it was written, hexadecimal; `None` where there is none yet."""
    kept = checksum_file(path)
    words = kept.read_text(encoding="utf-8").split() if kept.is_file() else []
    return words[0] if words else None


def is_as_written(path: Path, read: Callable[[int], None] = lambda _: None) -> bool:
    """Whether a file is there with the bytes that its checksum is of.

    Args:
        path: The file.
        read: Told how many bytes were read, block by block.
    """
    kept = kept_checksum(path)
    if kept is None or not path.is_file():
        return False
    found, block = hashlib.sha256(), bytearray(BLOCK_BYTES)
    with path.open("rb", buffering=0) as stream:
        while size := stream.readinto(block):
            found.update(memoryview(block)[:size])
            read(size)
    return kept == found.hexdigest()


def require_as_written(
    path: Path, remove: Path | None = None, read: Callable[[int], None] = lambda _: None
) -> None:
    """Refuse a file that is damaged.

    Args:
        path: The file.
        remove: What has to go with it, so that it is made again.
        read: As of `is_as_written`.

    Raises:
        CamobenchError: If its bytes are not those that were written; names it and the remedy.
    """
    if not is_as_written(path, read):
        raise _damaged(path, remove or path)


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write a JSON object in one step, with the checksum of its canonical form."""
    write_json(path, {**record, FIELD: digest(record)})


def read_record(path: Path, remove: Path) -> dict[str, Any]:
    """Read what `write_record` wrote.

    Args:
        path: The file.
        remove: What has to go with it, so that it is made again.

    Raises:
        CamobenchError: If it is damaged; names it and the remedy.
    """
    try:
        record = read_json(path)
        kept = record.pop(FIELD, None)
        whole = kept == digest(record)
    except (CamobenchError, FileNotFoundError, ValueError) as error:  # NaN: no record holds it
        raise _damaged(path, remove) from error
    if not whole:
        raise _damaged(path, remove)
    return record


def is_record(path: Path) -> bool:
    """Whether `read_record` would read this file."""
    try:
        read_record(path, path)
    except CamobenchError:
        return False
    return True


def _damaged(path: Path, remove: Path) -> CamobenchError:
    what = "damaged (its checksum is another)" if path.is_file() else "missing"
    return CamobenchError(f"{path} is {what}; remove {remove}, and the same command makes it anew")
