"""Suites by name: simulated ones, Dresden, and `folder:DIR` for the user's own photographs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType

from bench.suites.base import SuiteSource
from bench.suites.dresden.protocol import DRESDEN_V1, DresdenSpec
from bench.suites.rehearsal import PREFIX as REHEARSAL_PREFIX
from bench.suites.rehearsal import RehearsalSource
from bench.suites.simcam.plan import (
    SIMCAM_12,
    SIMCAM_12_SMALL,
    SIMCAM_MIDI,
    SIMCAM_MINI,
    SIMCAM_SMOKE,
    SimcamSpec,
)
from bench.types import CamobenchError, Progress
from bench.wording import near

FOLDER_PREFIX = "folder:"
SIMULATED: Mapping[str, SimcamSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (SIMCAM_MINI, SIMCAM_MIDI, SIMCAM_12_SMALL, SIMCAM_12, SIMCAM_SMOKE)
    }
)
SPECS: Mapping[str, SimcamSpec | DresdenSpec] = MappingProxyType(
    {**SIMULATED, DRESDEN_V1.name: DRESDEN_V1}
)
DRESDEN_OPTIONS = ("root", "partial")


def load_suite(
    name: str, *, progress: Progress | None = None, store: Path | None = None, **options: object
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
    if name.startswith(FOLDER_PREFIX):
        from bench.suites.folder import FolderSource

        known = {field.name for field in fields(FolderSource)} - {"root", "progress", "_"}
        real = options.pop("real", None)
        if strange := [option for option in options if option not in known]:
            raise CamobenchError(
                f"{FOLDER_PREFIX}DIR takes no {', '.join(strange)}; it takes "
                f"{', '.join(sorted({*known, 'real'}))}"
            )
        root = Path(name.removeprefix(FOLDER_PREFIX))
        source = FolderSource(root, progress=progress, **options)  # type: ignore[arg-type]
        if real is None:
            return source
        from bench.suites.real import WithRealPhotographs

        return WithRealPhotographs(source, Path(str(real)), progress=progress)
    if name.startswith(REHEARSAL_PREFIX):
        played = name.removeprefix(REHEARSAL_PREFIX)
        return RehearsalSource(load_suite(played, progress=progress, store=store, **options))
    if name in SIMULATED:
        if options:
            raise CamobenchError(f"suite {name} takes no options, got {', '.join(options)}")
        from bench.suites.real import with_shipped_photographs
        from bench.suites.simcam.source import SimcamSource

        spec = SIMULATED[name]
        return with_shipped_photographs(SimcamSource(spec)) if spec.real else SimcamSource(spec)
    if name == DRESDEN_V1.name:
        return _dresden(progress, store, options)
    close = near(name, SPECS) or list(SPECS)
    raise CamobenchError(
        f"unknown suite {name!r}: did you mean {', '.join(close)}? "
        f"`{FOLDER_PREFIX}DIR` reads photographs of your own"
    )


def _dresden(
    progress: Progress | None, store: Path | None, options: Mapping[str, object]
) -> SuiteSource:
    from bench.store import Store
    from bench.suites.dresden.source import DresdenSource
    from bench.suites.prepared import find_prepared

    if strange := [option for option in options if option not in DRESDEN_OPTIONS]:
        raise CamobenchError(
            f"suite {DRESDEN_V1.name} takes {' and '.join(DRESDEN_OPTIONS)}, "
            f"got {', '.join(strange)}"
        )
    root = options.get("root")
    if root is not None:
        partial = bool(options.get("partial", False))
        return DresdenSource(Path(str(root)), partial=partial, progress=progress)
    if options.get("partial"):
        raise CamobenchError("--partial (`partial=True`) goes with --root (`root`)")
    return find_prepared(DRESDEN_V1.name, Store(store or Store.default_root()))
