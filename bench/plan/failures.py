"""Attacks and victims may fail: what fails is noted with its traceback, the rest goes on.

A participant that raises, returns NaN, exceeds its time, ends its process or wants more memory than
there is for a single image loses the cells that hang on it. A full disk or a damaged store stops
everything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.jobs.outcome import Failed
from bench.store import write_text
from bench.types import CamobenchError
from bench.wording import listed

MOST_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Who failed ("attack fog", "victim pef-x"), why in one line, and the log of the traceback."""

    who: str
    reason: str
    log: Path


@dataclass
class Failures:
    """All failures of a run.

    Attributes:
        folder: Where logs go; without one, the first failure is raised.
        jobs: Failed trainings, and those that needed them, by the key of the job.
    """

    folder: Path | None = None
    jobs: dict[str, Failure] = field(default_factory=dict)
    noted: list[Failure] = field(default_factory=list)

    def note(self, who: str, failed: Failed, where: str = "") -> Failure:
        """Write the traceback of who failed, and on what ("on images of fog"), into a log."""
        log, place = self._log_of(who, where), f"{who} {where}".rstrip()
        if log is None:
            raise CamobenchError(f"{place}: {failed.reason}")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        write_text(log, f"{now} {place}: {failed.reason}\n\n{failed.text}")
        return self._noted(Failure(who=who, reason=failed.reason, log=log))

    def follow(self, who: str, cause: Failure) -> Failure:
        """Note that something cannot be because of another failure."""
        reason = f"{cause.who} failed: {cause.reason}"
        return self._noted(Failure(who=who, reason=reason, log=cause.log))

    def summary(self) -> str:
        """What failed and why, in one line."""
        told = [f"{one.who} ({one.reason}; {one.log})" for one in self.noted]
        return listed(dict.fromkeys(told), MOST_SHOWN)

    def clear(self, who: str, where: str = "") -> None:
        """It works now: its log goes."""
        if log := self._log_of(who, where):
            log.unlink(missing_ok=True)

    def _noted(self, failure: Failure) -> Failure:
        self.noted.append(failure)
        return failure

    def _log_of(self, who: str, where: str) -> Path | None:
        name = re.sub(r"[^A-Za-z0-9_.+-]+", "-", f"{who} {where}").strip("-")
        return self.folder and self.folder / f"{name}.log"
