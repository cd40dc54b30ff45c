"""Executors: who runs jobs, and where."""

from __future__ import annotations

from bench.contract import ATTACKS, VICTIMS
from bench.execute.base import Executor
from bench.execute.inline import Inline
from bench.execute.local import Local
from bench.jobs.job import Keys
from bench.types import WrongUsageError

AUTO_EXECUTOR = "auto"
EXECUTORS = (AUTO_EXECUTOR, "inline", "local")

__all__ = ["AUTO_EXECUTOR", "EXECUTORS", "Executor", "Inline", "Local", "executor_of"]


def executor_of(name: str, keys: Keys, workers: int) -> Executor | None:
    """The executor of a name; `None` for the one of this process.

    Args:
        name: "inline", "local", or "auto": in worker processes where there is more than
            one, or where somebody else's code takes part.
        keys: Who takes part.
        workers: Jobs at a time.

    Raises:
        WrongUsageError: If there is none of this name.
    """
    if name not in EXECUTORS:
        raise WrongUsageError(f"unknown executor {name!r}: choose {', '.join(EXECUTORS)}")
    own = all(map(ATTACKS.is_own, keys.attacks)) and all(
        VICTIMS.is_own(one) for one in (*keys.victims, *keys.surrogates)
    )
    if name == "local" or (name == AUTO_EXECUTOR and (workers > 1 or not own)):
        return Local(workers)
    return None
