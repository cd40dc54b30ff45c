"""SHA-256 of what the store holds, kept with it, so that damage that still reads is found.

Beside a large file `NAME` lies `NAME.sha256`, a line as `sha256sum` writes it and
`sha256sum --check` reads it.
"""

from __future__ import annotations

from pathlib import Path

from bench.store import file_digest, require_digest


def checksum_file(path: Path) -> Path:
    """Where the checksum of a file is kept."""
    return path.with_name(f"{path.name}.sha256")


def keep_checksum(path: Path, written: Path | None = None) -> None:
    """Keep the checksum of a file whose bytes are `written` elsewhere if it is still to be renamed.

    A run killed in between leaves a checksum without its file, or one that no longer fits: never a
    damaged file that seems whole.
    """
    line = f"{file_digest(written or path)}  {path.name}\n"
    checksum_file(path).write_text(line, encoding="utf-8", newline="\n")


def kept_checksum(path: Path) -> str | None:
    """SHA-256 of a file as it was written, hexadecimal; `None` where there is none yet."""
    kept = checksum_file(path)
    words = kept.read_text("utf-8", errors="replace").split() if kept.is_file() else []
    return words[0] if words else None


def is_as_written(path: Path) -> bool:
    """Whether a file is there with the bytes that its checksum is of."""
    return path.is_file() and kept_checksum(path) == file_digest(path)


def require_as_written(path: Path, remove: Path | None = None) -> None:
    """Raise `damaged` of a file whose bytes are not those that were written."""
    require_digest(path, kept_checksum(path), remove)
