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
from bench.store import Store, write_text

MOST_SHOWN = 3


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
        jobs: Failed trainings, and those that needed them, by the key of the job.
    """

    folder: Path
    jobs: dict[str, Failure] = field(default_factory=dict)
    noted: list[Failure] = field(default_factory=list)

    @classmethod
    def of(cls, store: Store, suite: str) -> Failures:
        """Failures on a suite."""
        return cls(store.root / "failures" / suite)

    def note(self, who: str, failed: Failed, where: str = "") -> Failure:
        """Write the traceback into a log.

        Args:
            who: Failed: "victim pef-x".
            failed: Why.
            where: On what: "on images of fog".
        """
        log, reason = self.log_of(who, where), failed.reason
        now = datetime.now(UTC).isoformat(timespec="seconds")
        place = f"{who} {where}".rstrip()
        write_text(log, f"{now} {place}: {reason}\n\n{failed.text}")
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
