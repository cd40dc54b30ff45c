"""The suites by name: simulated cameras, the paper's, and folders of the user's own photographs."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bench.store import Store
from bench.suites.base import Suite, SuiteSource, open_suite
from bench.suites.derived import REHEARSAL_PREFIX, RehearsalSource, WithRealPhotographs
from bench.suites.dresden.protocol import DRESDEN_V1, DresdenSpec
from bench.suites.dresden.source import DresdenSource
from bench.suites.simcam.plan import SIMULATED, SimcamSpec
from bench.types import SILENT, CamobenchError, Progress
from bench.wording import unknown

FOLDER_PREFIX = "folder:"
SPECS: Mapping[str, SimcamSpec | DresdenSpec] = MappingProxyType(
    {**SIMULATED, DRESDEN_V1.name: DRESDEN_V1}
)


def load_suite(
    name: str, *, progress: Progress = SILENT, store: str | Path | None = None, **options: Any
) -> SuiteSource:
    """The suite called `name`, ready to be prepared in a store.

    Args:
        name: A simulated suite, `dresden-v1`, `folder:DIR` for photographs of one's own, or
            `rehearsal:SUITE` for Set-B of any of these in all three places.
        progress: Told of each file as a folder is read.
        store: Where `dresden-v1` is looked for when no `root` is given; by default the user's.
        options: Of a folder suite, see `FolderSource`, and `real`, a folder of photographs for the
            split of that name; of `dresden-v1`, see `DresdenSource`.

    Raises:
        CamobenchError: If there is no such suite, with close matches; if it does not take an
            option; if it needs a `root` and was not prepared before.
        ValueError: If an option is out of range.
    """
    if name.startswith(REHEARSAL_PREFIX):
        played = name.removeprefix(REHEARSAL_PREFIX)
        return RehearsalSource(load_suite(played, progress=progress, store=store, **options))
    if name.startswith(FOLDER_PREFIX) and name != FOLDER_PREFIX:
        root = Path(os.path.expanduser(name.removeprefix(FOLDER_PREFIX)))  # no shell does it here
        return _folder(root, progress, options)
    if name in SIMULATED:
        from bench.suites.simcam.source import SimcamSource

        _require_known(name, options, ())
        source = SimcamSource(SIMULATED[name])
        shipped = Path(str(files("bench"))) / "assets" / "real"
        return WithRealPhotographs(source, shipped) if source.spec.real else source
    if name == DRESDEN_V1.name:
        return _dresden(progress, store, options)
    raise CamobenchError(
        f"{unknown('suite', name, SPECS)} `{FOLDER_PREFIX}DIR` reads photographs of your own"
    )


def _require_known(name: str, options: Collection[str], known: Collection[str]) -> None:
    if strange := [option for option in options if option not in known]:
        raise CamobenchError(
            f"suite {name} takes {', '.join(known) or 'no options'}, got {', '.join(strange)}"
        )


def _folder(root: Path, progress: Progress, options: dict[str, Any]) -> SuiteSource:
    from bench.suites.folder import FolderSource

    known = {field.name for field in fields(FolderSource)} - {"root", "progress", "_"}
    _require_known(f"{FOLDER_PREFIX}DIR", options, sorted({*known, "real"}))
    real = options.pop("real", None)
    source = FolderSource(root, progress=progress, **options)
    if real is None:
        return source
    return WithRealPhotographs(
        source,
        Path(os.path.expanduser(real)),
        layout=source.layout,
        skip_bad=source.skip_bad,
        progress=progress,
    )


def _dresden(progress: Progress, store: str | Path | None, options: dict[str, Any]) -> SuiteSource:
    _require_known(DRESDEN_V1.name, options, ("root", "partial"))
    root, partial = options.get("root"), bool(options.get("partial"))
    if root is not None:
        return DresdenSource(Path(root), partial=partial, progress=progress)
    if partial:
        raise CamobenchError("--partial (`partial=True`) goes with --root (`root`)")
    return _find_prepared(DRESDEN_V1.name, Store(Path(store or Store.default_root())).root / "data")


def _find_prepared(name: str, data: Path) -> Suite:
    """The one suite called `name` in a store."""
    found = sorted(path.parent for path in data.glob(f"{name}-{'[0-9a-f]' * 12}/suite.json"))
    if not found:
        raise CamobenchError(
            f"{name} is not in the store {data.parent}: give --root DIR, your copy of its "
            f"photographs, or make it once with `camobench data prepare {name} --root DIR`"
        )
    if len(found) > 1:
        raise CamobenchError(
            f"{len(found)} suites called {name} are in the store, of different photographs "
            f"({', '.join(folder.name for folder in found)}): say which with --root DIR (and "
            f"--partial), or remove all but one from {data}"
        )
    return open_suite(found[0])
