"""Attacks and victims may fail: what fails is noted with its traceback, the rest goes on.

A participant that raises, exceeds its time, returns NaN or wants more memory than there is for a
single image loses the cells that hang on it. A full disk or a damaged store stops everything.
"""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from bench.deadlines import OverdueError, deadline
from bench.global_state import kept_global_state
from bench.runner.batches import is_out_of_memory
from bench.store import Store, write_text
from bench.supervision import EndedProcessError, at_work
from bench.types import CamobenchError, StoppingError
from bench.wording import in_seconds

CELL_TIMEOUT_S = 3600.0
"""Of one attack or one victim, for all images of one cell; 0 is no limit."""
MOST_SHOWN = 3
LONGEST = 200
"""Characters of a reason."""
ResultT = TypeVar("ResultT")


class ParticipantError(Exception):
    """An attack failed while it anonymised; the cause says how."""


class JobFailedError(Exception):
    """A training failed; can travel from a worker process.

    Args:
        reason: One line.
        text: The traceback.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(reason, text)
        self.reason, self.text = reason, text


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Something that failed.

    Attributes:
        who: "attack fog", "victim pef-x".
        reason: One line.
        log: With the traceback.
    """

    who: str
    reason: str
    log: Path


@dataclass
class Failures:
    """All failures of a run.

    Attributes:
        folder: Where logs go.
        cell_timeout_s: See `CELL_TIMEOUT_S`.
        jobs: Failed trainings, and those that needed them, by the key of the job.
    """

    folder: Path
    cell_timeout_s: float | None = CELL_TIMEOUT_S
    fit_timeout_s: float | None = None
    jobs: dict[str, Failure] = field(default_factory=dict)
    noted: list[Failure] = field(default_factory=list)

    @classmethod
    def of(cls, store: Store, suite: str, **limits: float | None) -> Failures:
        """Failures on a suite; a limit of 0 is none."""
        folder = store.root / "failures" / suite
        return cls(folder, **{name: value or None for name, value in limits.items()})  # type: ignore[arg-type]

    def note(self, who: str, error: BaseException, where: str = "") -> Failure:
        """Write the traceback into a log.

        Args:
            who: Failed: "victim pef-x".
            error: What it raised.
            where: On what: "on images of fog".
        """
        log, reason = self.log_of(who, where), reason_of(error)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        place = f"{who} {where}".rstrip()
        write_text(log, f"{now} {place}: {reason}\n\n{traceback_of(error)}")
        failure = Failure(who=who, reason=reason, log=log)
        self.noted.append(failure)
        return failure

    def follow(self, who: str, cause: Failure) -> Failure:
        """Note that something cannot be because of another failure."""
        failure = Failure(who=who, reason=f"{cause.who} failed: {cause.reason}", log=cause.log)
        self.noted.append(failure)
        return failure

    def summary(self) -> str:
        """What failed and why, in one line."""
        shown = [f"{one.who} ({one.reason}; {one.log})" for one in self.noted[:MOST_SHOWN]]
        more = len(self.noted) - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more > 0 else "")

    def clear(self, who: str, where: str = "") -> None:
        """It works now: its log goes."""
        self.log_of(who, where).unlink(missing_ok=True)

    def log_of(self, who: str, where: str = "") -> Path:
        """Where the traceback of a failure is kept."""
        name = re.sub(r"[^A-Za-z0-9_.+-]+", "-", f"{who} {where}").strip("-")
        return self.folder / f"{name}.log"


def is_failure(error: BaseException) -> bool:
    """Whether it fails what raised it alone: not the user's interruption, nor a full disk."""
    return not isinstance(error, KeyboardInterrupt | GeneratorExit | StoppingError)


def reason_of(error: BaseException) -> str:
    """One line that says what was raised, shortened; the log has all of it."""
    if isinstance(error, JobFailedError | EndedProcessError):
        return error.reason
    if isinstance(error, ParticipantError) and error.__cause__ is not None:
        return reason_of(error.__cause__)
    said = _said(error)
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 1].rstrip()}…"


def _said(error: BaseException) -> str:
    said = " ".join(str(error).split())
    if isinstance(error, OverdueError | CamobenchError):
        return said
    if is_out_of_memory(error):
        return f"out of memory: {said}"
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def traceback_of(error: BaseException) -> str:
    """The whole traceback, of a worker process too."""
    if isinstance(error, JobFailedError):
        return error.text
    if isinstance(error, ParticipantError) and error.__cause__ is not None:
        return traceback_of(error.__cause__)
    if isinstance(error, EndedProcessError):
        return f"{error.reason}\n{error.stack}"
    return "".join(traceback.format_exception(error))


@dataclass
class Trial:
    """Runs attacks and victims of one row so that one that fails takes no other with it.

    Attributes:
        attack_name: Of the row.
        after: What its images went through.
        strict: Raise instead, at once.
        limit_s: What each may take for all images of the row together.
        failed: What each victim that failed raised; it is not run again.
        spent_s: By name.
    """

    attack_name: str = ""
    after: str = ""
    strict: bool = True
    limit_s: float | None = None
    failed: dict[str, BaseException] = field(default_factory=dict)
    spent_s: dict[str, float] = field(default_factory=dict)
    _greedy: int = 0

    def lost_to_memory(self) -> bool:
        """Whether memory has failed another victim since this was asked last."""
        before = self._greedy
        self._greedy = sum(map(is_out_of_memory, self.failed.values()))
        return self._greedy > before

    def left(self, victims: Mapping[str, ResultT]) -> dict[str, ResultT]:
        """Those that have not failed."""
        return {name: victim for name, victim in victims.items() if name not in self.failed}

    def victim(self, name: str, call: Callable[[], ResultT], images: int = 1) -> ResultT | None:
        """Run one victim on some images; `None` when it fails, now or before.

        Raises:
            torch.OutOfMemoryError: If there is more than one image; fewer may do.
        """
        if self.strict:
            with kept_global_state():
                return call()
        if name in self.failed:
            return None
        try:
            return self._timed(name, call)
        except BaseException as error:
            if not is_failure(error) or (is_out_of_memory(error) and images > 1):
                raise
            self.failed[name] = error
            return None

    def attack(self, call: Callable[[], ResultT], images: int = 1) -> ResultT:
        """Run the attack of the row.

        Raises:
            ParticipantError: If it fails.
            torch.OutOfMemoryError: If there is more than one image; fewer may do.
        """
        if self.strict:
            with kept_global_state():
                return call()
        try:
            return self._timed("", call)
        except BaseException as error:
            if not is_failure(error) or (is_out_of_memory(error) and images > 1):
                raise
            raise ParticipantError from error

    def named(self, victim: str = "") -> tuple[str, str]:
        """Who is run, and on what: for logs. The attack, where no victim is named."""
        if not victim:
            return f"attack {self.attack_name}", self.after
        return f"victim {victim}", f"on images of {self.attack_name} {self.after}".rstrip()

    def _timed(self, name: str, call: Callable[[], ResultT]) -> ResultT:
        spent = self.spent_s.get(name, 0.0)
        left = None if self.limit_s is None else max(self.limit_s - spent, 1e-3)
        began = time.monotonic()
        try:
            with (
                at_work(*self.named(name), left),
                kept_global_state(),
                deadline(left, name or self.attack_name),
            ):
                return call()
        except OverdueError as error:
            raise OverdueError(
                f"took longer than {in_seconds(self.limit_s or 0)} for its cell"
            ) from error
        finally:
            self.spent_s[name] = spent + time.monotonic() - began
