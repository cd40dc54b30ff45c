"""Executors: who runs jobs, and where."""

from __future__ import annotations

import warnings

from bench.contract import ATTACKS, VICTIMS
from bench.execute.base import Executor, Inline
from bench.execute.local import Local
from bench.jobs.job import Keys
from bench.jobs.travel import pack
from bench.types import CamobenchError, WrongUsageError

AUTO_EXECUTOR = "auto"
EXECUTORS = (AUTO_EXECUTOR, "inline", "local", "ray")


def executor_of(name: str, keys: Keys, workers: int, address: str = "") -> Executor:
    """The executor of a name, for so many jobs at a time of those that `keys` name.

    "auto" takes worker processes where there is more than one, or where somebody else's code takes
    part, unless an object of Python cannot travel. The address is of a Ray cluster.

    Raises:
        WrongUsageError: If there is none of this name.
    """
    if name not in EXECUTORS:
        raise WrongUsageError(f"unknown executor {name!r}: choose {', '.join(EXECUTORS)}")
    if name == "ray":
        from bench.execute.cluster import Ray  # whose imports only a cluster needs

        return Ray(address)
    own = all(map(ATTACKS.is_own, (*keys.attacks, *keys.known))) and all(
        map(VICTIMS.is_own, (*keys.victims, *keys.surrogates))
    )
    if name == "inline" or (name == AUTO_EXECUTOR and workers == 1 and own):
        return Inline()
    if name == AUTO_EXECUTOR and not own:
        try:
            pack(keys)
        except CamobenchError as error:
            warnings.warn(f"{error}: everything runs in this process", stacklevel=2)
            return Inline()
    return Local(workers)
