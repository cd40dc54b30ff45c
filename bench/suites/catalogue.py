"""Suites by name: the simulated ones, and `folder:DIR` for the user's own photographs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from bench.suites.base import SuiteSource
from bench.suites.simcam.plan import (
    SIMCAM_12,
    SIMCAM_12_SMALL,
    SIMCAM_MINI,
    SIMCAM_SMOKE,
    SimcamSpec,
)
from bench.types import CamobenchError, Progress

FOLDER_PREFIX = "folder:"
SIMULATED: Mapping[str, SimcamSpec] = MappingProxyType(
    {spec.name: spec for spec in (SIMCAM_MINI, SIMCAM_12_SMALL, SIMCAM_12, SIMCAM_SMOKE)}
)
DEFAULT_SUITE = SIMCAM_MINI.name


def load_suite(name: str, *, progress: Progress | None = None, **options: object) -> SuiteSource:
    """The suite called `name`, ready to be prepared in a store.

    Args:
        name: A simulated suite, or `folder:DIR` for photographs of one's own.
        progress: Told of each file as a folder is read.
        options: Of a folder suite; see `FolderSource`.

    Raises:
        CamobenchError: If there is no such suite, or it takes no options; lists close matches.
        ValueError: If an option is out of range.
    """
    if name.startswith(FOLDER_PREFIX):
        from bench.suites.folder import FolderSource

        root = Path(name.removeprefix(FOLDER_PREFIX))
        return FolderSource(root, progress=progress, **options)  # type: ignore[arg-type]
    if name in SIMULATED:
        if options:
            raise CamobenchError(f"suite {name} takes no options, got {', '.join(options)}")
        from bench.suites.simulated import SimcamSource

        return SimcamSource(SIMULATED[name])
    close = difflib.get_close_matches(name, SIMULATED, n=2) or list(SIMULATED)
    raise CamobenchError(
        f"unknown suite {name!r}: did you mean {', '.join(close)}? "
        f"`{FOLDER_PREFIX}DIR` reads photographs of your own"
    )
