"""Artifacts on disk: data sets, checkpoints, predictions.

Each lives under a key that hashes all that shaped it. Everything is written to a temporary name and
renamed: a killed run leaves nothing half-written. Checkpoints and predictions are user data.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from bench.types import CamobenchError, StoppingError, as_json

STORE_FORMAT = 1
STORE_VARIABLE = "CAMOBENCH_STORE"
MARKER = "camobench-store.json"
AREAS = (
    *("data", "checkpoints", "predictions", "images", "sent", "unfinished", "counts"),
    *("challenges", "failures", "locks", "opened", "plug-ins"),
)
"""The folders of a store: one that has some of them, and nothing else, has lost its marker."""
MOST_SAID = 80
SEAL = "sha256"
_SAID = {
    *("key", "weights_sha256", "seconds"),
    *("figures", "hyperparameters", "curves", "provenance"),
}
"""On the card of a checkpoint."""
WEEK_S = 7 * 86_400.0
_TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}")  # as `replacing` names it


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON, hexadecimal."""
    text = json.dumps(as_json(value), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_in_store(path: Path) -> bool:
    """Whether a file is a store's, whichever; what a user put beside its folders is not."""
    path = path.absolute()
    return any(
        (root / MARKER).exists() and path.relative_to(root).parts[0] in (*AREAS, MARKER)
        for root in path.parents
    )


@contextmanager
def explaining_full_disk(folder: Path) -> Iterator[None]:
    """Raise a `StoppingError` with folder and remedy where the disk is full inside the block."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise StoppingError(
            f"no space left on the disk of {folder}: free some, then run the same command "
            "again; nothing already computed is lost"
        ) from error


@contextmanager
def explaining_damage(path: Path, remove: Path | None = None) -> Iterator[None]:
    """Raise `damaged` where the block cannot read a file of the store for what it holds."""
    try:
        yield
    except (ValueError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the system's, not the file's
            raise
        raise damaged(path, " ".join(str(error).split())[:MOST_SAID], remove) from error


def damaged(path: Path, reason: str, remove: Path | None = None) -> StoppingError:
    """What to say of a file of the store that is not as it was written."""
    return StoppingError(
        f"{path} is damaged ({reason}); remove {remove or path}, and the same command makes it anew"
    )


def require_digest(path: Path, sha256: str | None, remove: Path | None = None) -> None:
    """Raise `damaged` of a file that is not there, or has another SHA-256."""
    if not path.is_file():
        raise damaged(path, "it is missing", remove)
    if file_digest(path) != sha256:
        raise damaged(path, "its checksum is another", remove)


def reserve_array(path: Path, dtype: Any, shape: tuple[int, ...]) -> np.memmap[Any, Any]:
    """Make a memory-mapped `.npy` file, for which a full disk is an `OSError` here, not a crash."""
    array: np.memmap[Any, Any] = np.lib.format.open_memmap(
        path, mode="w+", dtype=dtype, shape=shape
    )
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
    return array


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path, whose file or folder replaces `path` when the block ends well.

    Raises:
        CamobenchError: If the disk is full; names the folder and the remedy.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        with explaining_full_disk(path.parent):
            target = holder / path.name
            yield target
            replaced = holder / "replaced"
            if target.is_dir() and path.is_dir():
                path.rename(replaced)
            try:
                os.replace(target, path)
            except OSError:
                if replaced.exists():
                    replaced.rename(path)
                raise
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def write_text(path: Path, text: str) -> Path:
    """Write a text file (UTF-8, LF) in one step; returns its path."""
    with replacing(path) as target:
        target.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    return path


def write_json(path: Path, value: Any) -> None:
    """Write a value as readable JSON in one step."""
    text = json.dumps(as_json(value), indent=2, sort_keys=True, allow_nan=False)
    write_text(path, text + "\n")


def write_sealed(path: Path, record: Mapping[str, Any]) -> None:
    """Write a JSON object with its own SHA-256, by which `read_json` finds damage."""
    write_json(path, {**record, SEAL: digest(record)})


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object, without its seal if it has one, or say that the file is damaged."""
    with explaining_damage(path):
        value = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(value, dict):
            raise ValueError("no JSON object")
        if SEAL in value and value.pop(SEAL) != digest(value):
            raise ValueError("its checksum is another")
    return value


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A trained thing on disk: the folder of its weights, and what its card says of it."""

    path: Path
    card: dict[str, Any]

    @property
    def weights(self) -> Path:
        """The safetensors file."""
        return self.path / "weights.safetensors"

    @property
    def sha256(self) -> str:
        """Digest of the weights, as the card states it."""
        return str(self.card["weights_sha256"])

    def verify(self) -> None:
        """Raise `damaged`, if a byte of the weights has changed."""
        require_digest(self.weights, self.sha256, self.path)


class Store:
    """A folder of artifacts, made if it is not there.

    Raises:
        CamobenchError: If the folder is a store of another format, or not a store and not empty.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.expanduser(root)).absolute()
        marker = self.root / MARKER
        if not marker.exists():
            there = {path.name for path in self.root.iterdir()} if self.root.is_dir() else set()
            # Another process may be writing the marker just now.
            others = [one for one in there if not one.startswith((MARKER, f".{MARKER}"))]
            if self.root.is_file() or not set(others).issubset(AREAS):
                raise CamobenchError(
                    f"{self.root} is not empty and not a camobench store; choose another --store"
                )
            write_json(marker, {"format": STORE_FORMAT})
        found = read_json(marker).get("format")
        if found != STORE_FORMAT:
            raise CamobenchError(
                f"store {self.root} has format {found}, this version reads {STORE_FORMAT}: choose "
                "another --store, or the version of camobench that wrote it"
            )

    @classmethod
    def default_root(cls) -> Path:
        """`$CAMOBENCH_STORE`, else the user's data folder."""
        from platformdirs import user_data_path

        chosen = os.environ.get(STORE_VARIABLE)
        return Path(chosen) if chosen else user_data_path("camobench", appauthor=False) / "store"

    def data_folder(self, suite: str, fingerprint: str) -> Path:
        """Where the images of a suite live."""
        return self.root / "data" / f"{suite}-{fingerprint[:12]}"

    def checkpoint_folder(self, kind: str, name: str, key: str) -> Path:
        """Where the checkpoint with this key lives, whether or not it exists."""
        return self.root / "checkpoints" / kind / f"{name}-{key[:16]}"

    def snapshot_file(self, kind: str, name: str, key: str) -> Path:
        """Where the state of an unfinished training lives."""
        return self.root / "unfinished" / kind / f"{name}-{key[:16]}.pt"

    def prediction_folder(self, key: str) -> Path:
        """Where the predictions on one attack's images live."""
        return self.root / "predictions" / key[:24]

    def image_folder(self, key: str) -> Path:
        """Where the images of one attack are kept, for who wants them kept."""
        return self.root / "images" / key[:24]

    def lock(self, *names: str) -> FileLock:
        """What the writer of the named thing holds; kept apart from the things themselves."""
        return _lock(self.root, *names)

    def lock_results(self, folder: Path) -> FileLock:
        """What the writer of results into a folder, which is none of the store's, holds."""
        return self.lock("results", digest(str(folder.resolve()))[:24])

    def sweep(self) -> None:
        """Remove what killed runs left: temporary folders, a week after the last write into them.

        Checkpoints, predictions and the state of unfinished trainings are never touched.
        """
        for area in AREAS:
            for path in [*(self.root / area).glob("*/.*"), *(self.root / area).glob("*/*/.*")]:
                if _TEMPORARY.fullmatch(path.name) and path.is_dir() and _idle_s(path) > WEEK_S:
                    shutil.rmtree(path, ignore_errors=True)


def _idle_s(path: Path) -> float:
    """Since anything in it was last written; 0 if it vanishes meanwhile."""
    try:
        return time.time() - max(part.stat().st_mtime for part in (path, *path.rglob("*")))
    except OSError:
        return 0.0


def lock_beside_set(path: Path) -> FileLock:
    """What the writer of a file at STORE/data/SUITE/SET/NAME holds."""
    suite = path.parents[1]
    return _lock(suite.parents[1], "data", suite.name, f"{path.parent.name}-{path.stem}")


def _lock(root: Path, *names: str) -> FileLock:
    if not os.access(root, os.W_OK | os.X_OK):
        raise PermissionError(f"the store {root} cannot be written into; choose another --store")
    path = root.joinpath("locks", *names)
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path.with_name(f"{path.name}.lock"))


def open_checkpoint(folder: Path) -> Checkpoint | None:
    """Open the checkpoint in `folder`, or return `None` if there is none."""
    path = folder / "card.json"
    if not path.is_file():
        return None
    card = read_json(path)
    if lacking := _SAID.difference(card):
        raise damaged(path, f"no {min(lacking)}", folder)
    return Checkpoint(path=folder, card=card)
