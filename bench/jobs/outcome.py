"""What becomes of a job: done, perhaps without some of its victims, or failed."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch

from bench.contract.global_state import kept_global_state
from bench.types import CamobenchError, StoppingError
from bench.wording import one_line

LONGEST = 200
"""Characters of a reason."""
NO_MEMORY = ("DefaultCPUAllocator", "out of memory", "ALLOC_FAILED")
"""What torch says that has no type for it: on the CPU; on MPS, beside other processes on a GPU; of
cuBLAS and cuDNN."""
ResultT = TypeVar("ResultT")


class ParticipantError(Exception):
    """An attack or a victim failed; the cause says how."""


@dataclass(frozen=True, kw_only=True)
class Failed:
    """Why there is nothing.

    Attributes:
        reason: One line.
        text: The traceback, or the stack of a process that ended.
        lost: Whether the process ended or had to be ended, so that nobody knows who is to blame.
        cause: Key of the job that failed before, for want of which this one was never started.
    """

    reason: str
    text: str = ""
    lost: bool = False
    cause: str | None = None

    @classmethod
    def of(cls, error: BaseException) -> Failed:
        """What an exception says; the log has all of what the reason shortens."""
        return cls(reason=reason_of(error), text="".join(traceback.format_exception(_own(error))))


@dataclass(frozen=True, kw_only=True)
class Done:
    """The artifact is in the store.

    Attributes:
        failed: Victims that failed; the others' rows are there.
        seen: What plug-ins were seen to open, for the process that began the run.
    """

    failed: Mapping[str, Failed] = field(default_factory=dict)
    seen: Any = None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch ran out of memory, on an accelerator or on the CPU."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(said in str(error) for said in NO_MEMORY)


def gpu_error(outcome: Done | Failed) -> Failed | None:
    """Who failed by an error of CUDA's, after which a process can do nothing on its GPU.

    Want of memory is none: others may still fit.
    """
    found = [outcome] if isinstance(outcome, Failed) else outcome.failed.values()
    spoilt = (one for one in found if not any(said in one.text for said in NO_MEMORY))
    return next((one for one in spoilt if "CUDA error" in one.text), None)


def is_failure(error: BaseException) -> bool:
    """Whether it fails what raised it alone: not the user's interruption, nor a full disk."""
    return not isinstance(error, KeyboardInterrupt | GeneratorExit | StoppingError)


def reason_of(error: BaseException) -> str:
    """One line that says what was raised, shortened."""
    error = _own(error)
    said = one_line(str(error))
    if is_out_of_memory(error):
        said = f"out of memory: {said}"
    elif not isinstance(error, CamobenchError):
        said = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 1].rstrip()}…"


def _own(error: BaseException) -> BaseException:
    """What somebody's code raised."""
    return (error.__cause__ or error) if isinstance(error, ParticipantError) else error


@dataclass
class Trial:
    """Runs the attack and the victims of a job so that one that raises takes no other with it.

    Attributes:
        strict: Raise instead, at once.
        failed: Why each victim failed; it is not run again, and what it held is freed.
    """

    strict: bool = True
    failed: dict[str, Failed] = field(default_factory=dict)

    @contextmanager
    def _alone(self, images: int) -> Iterator[None]:
        try:
            with kept_global_state():
                yield
        except BaseException as error:
            if self.strict or not is_failure(error) or (is_out_of_memory(error) and images > 1):
                raise
            raise ParticipantError from error

    def victim(self, name: str, call: Callable[[], ResultT], images: int = 1) -> ResultT | None:
        """Run one victim on some images; `None` when it fails, now or before.

        Raises:
            torch.OutOfMemoryError: If there is more than one image; fewer may do.
        """
        if name not in self.failed:
            try:
                with self._alone(images):
                    return call()
            except ParticipantError as error:
                self.failed[name] = Failed.of(error)
        return None

    def attack(self, call: Callable[[], ResultT], images: int = 1) -> ResultT:
        """Run the attack.

        Raises:
            ParticipantError: If it fails.
            torch.OutOfMemoryError: If there is more than one image; fewer may do.
        """
        with self._alone(images):
            return call()
