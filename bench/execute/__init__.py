"""Executors: who runs jobs, and where."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bench.registry import Deferred
from bench.types import CamobenchError, WrongUsageError

if TYPE_CHECKING:
    from bench.execute.base import Executor
    from bench.jobs.job import Keys

AUTO_EXECUTOR = "auto"
EXECUTORS: Mapping[str, Deferred] = {
    "inline": Deferred("bench.execute.base:Inline"),
    "local": Deferred("bench.execute.local:Local"),
    "ray": Deferred("bench.execute.cluster:Ray"),
}


def executor_of(name: str, keys: Keys, workers: int, address: str = "") -> Executor:
    """The executor of a name, for so many jobs at a time of those that `keys` name.

    "auto" takes worker processes where there is more than one, or where somebody else's code takes
    part, unless an object of Python cannot travel. The address is of a Ray cluster.

    Raises:
        WrongUsageError: If there is none of this name.
    """
    names = (AUTO_EXECUTOR, *EXECUTORS)
    if name not in names:
        raise WrongUsageError(f"unknown executor {name!r}: choose {', '.join(names)}")
    if name == AUTO_EXECUTOR:
        name = _suited(keys, workers)
    executor: Executor = EXECUTORS[name](workers, address)
    return executor


def _suited(keys: Keys, workers: int) -> str:
    from bench.contract import ATTACKS, VICTIMS
    from bench.jobs.travel import pack

    own = all(map(ATTACKS.is_own, (*keys.attacks, *keys.known))) and all(
        map(VICTIMS.is_own, (*keys.victims, *keys.surrogates))
    )
    if own:
        return "inline" if workers == 1 else "local"
    try:
        pack(keys)
    except CamobenchError as error:
        warnings.warn(f"{error}: everything runs in this process", stacklevel=3)
        return "inline"
    return "local"
