"""A store on a node that does not see the run's: fetches what a job reads, returns what it makes.

What a job makes is final, so that two jobs that return the same file return the same bytes.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from bench.jobs.features import feature_file
from bench.jobs.job import FeatureJob, Job, Keys, ScoreJob, Site, TrainJob
from bench.jobs.opened_files import OPENED, add_opened
from bench.jobs.scoring.kept import kept_file
from bench.jobs.scoring.rows import DISTORTION, RowFolder
from bench.recipes import RESIDUAL_NAME
from bench.store import Store, replacing
from bench.store.checksums import checksum_file
from bench.types import SetName

NODE_STORE = "CAMOBENCH_NODE_STORE"
"""Folder of a node's own store, on a fast disk of its own perhaps; it is then used in any case."""
LAST = (".parquet", "card.json")
"""Files that say that others are there."""
Parcel: TypeAlias = dict[str, bytes]
"""Contents of files, by their path in a store."""


@contextmanager
def marked(root: Path) -> Iterator[str]:
    """Leave a mark in a run's store, by which nodes know whether they see it; yields its name."""
    mark = uuid4().hex
    path = root / "locks" / f"run-{mark}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    try:
        yield mark
    finally:
        path.unlink(missing_ok=True)


def own_store(site: Site, mark: str) -> Path | None:
    """Where this node keeps what it fetches for a run; `None` if it sees the store of the run."""
    own = os.environ.get(NODE_STORE)
    if own is None and (site.store_root / "locks" / f"run-{mark}").is_file():
        return None
    return Path(own or Path(tempfile.gettempdir()) / f"camobench-{os.getuid()}") / mark


def fetch(job: Job, site: Site, root: Path, read: Callable[[str], Parcel]) -> None:
    """Fetch into the node's store at `root` what a job reads and is not there, through `read`."""
    store = Store(root)
    for place in _read_by(job, site.keys, store):
        with store.lock("fetched", place.replace("/", "-")):
            if not (root / place).exists() and (parcel := read(place)):
                with replacing(root / place) as target:
                    for name, content in parcel.items():
                        path = target / Path(name).relative_to(place)
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.write_bytes(content)


def files_of(root: Path, places: Iterable[str]) -> Iterator[str]:
    """All finished files under some places of a store, by their paths there."""
    for place in places:
        for path in [root / place, *sorted((root / place).rglob("*"))]:
            name = path.relative_to(root)
            if path.is_file() and not any(part.startswith(".") for part in name.parts):
                yield name.as_posix()


def pack(root: Path, places: Iterable[str]) -> Parcel:
    """Read all finished files under some places of a store."""
    return {name: (root / name).read_bytes() for name in files_of(root, places)}


def unpack(parcel: Mapping[str, bytes], root: Path) -> None:
    """Write files into a store that are not there yet; those that speak for others come last.

    Records of what plug-ins opened grow: each node knows what it has seen itself.
    """
    for name in sorted(parcel, key=lambda name: (name.endswith(LAST), name)):
        if name.startswith(f"{OPENED}/"):
            add_opened(Store(root), Path(name).stem, json.loads(parcel[name]))
        elif not (root / name).exists():
            with replacing(root / name) as target:
                target.write_bytes(parcel[name])


def _read_by(job: Job, keys: Keys, store: Store) -> Iterator[str]:
    networks: list[tuple[str, str, str]] = []
    sets: tuple[SetName, ...] = ("C",)
    if isinstance(job, TrainJob):
        sets = (job.set_name,)
        networks += [("surrogate", name, key) for name, key in keys.surrogates.items()]
        networks += [("attack", name, key) for name, key in keys.known.items()]
    elif job.attack:
        networks.append(("attack", job.attack, keys.attacks[job.attack]))
    paths: list[Path] = []
    if isinstance(job, ScoreJob):
        networks += [("victim", name, keys.victims[name]) for name, _ in job.stems]
        paths.append(kept_file(store, job.kept, job.shard))
    if isinstance(job, FeatureJob) and job.fingerprints:
        paths.append(store.prediction_folder(job.fingerprints))
    elif isinstance(job, FeatureJob):
        sets = ("B", "C")
    networks += [("estimator", RESIDUAL_NAME, key) for key in keys.estimators.values()]
    data = store.data_folder(keys.suite.name, keys.suite.fingerprint)
    paths += [data / "suite.json", *(data / set_name for set_name in sets)]
    paths += [store.checkpoint_folder(kind, name, key) for kind, name, key in networks]
    for path in paths:
        yield path.relative_to(store.root).as_posix()


def made_by(job: Job, root: Path) -> list[str]:
    """Where all lies that a job made, or found made, by its paths in a store."""
    store = Store(root)
    if isinstance(job, TrainJob):
        paths = [store.checkpoint_folder(job.kind, job.name, job.key)]
    elif isinstance(job, FeatureJob):
        file = feature_file(store, job.key)
        paths = [file, checksum_file(file)]
    else:
        row = RowFolder(store.prediction_folder(job.row))
        files = [row.file(stem, job.shard) for stem in (*dict(job.stems).values(), DISTORTION)]
        paths = [*files, *map(checksum_file, files), kept_file(store, job.kept, job.shard)]
    return [*(path.relative_to(root).as_posix() for path in paths), OPENED]
