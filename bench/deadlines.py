"""A limit on how long foreign code may take."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from bench.wording import in_seconds

AGAIN_S = 5.0
"""Code that swallows the interruption is interrupted again after so many seconds."""
SOON_S = 1e-3
OPENING_LIMIT_S = 600.0
"""What a file may take to be imported, and what a constructor may take: neither trains."""


class OverdueError(BaseException):
    """A time limit has passed; no `Exception`, so that `except Exception` cannot swallow it."""


class deadline:  # noqa: N801  # used as a statement: `with deadline(1.0):`
    """Interrupt the block when it takes longer.

    Covers Python code in the main thread of a process on Linux and macOS, also a loop that never
    ends. A single call into C or CUDA is interrupted when it returns. In other threads, on Windows
    and with `None` there is no limit. An alarm that was set before, an outer limit's or somebody
    else's, rings when it is due, and is afterwards as it would have been, whatever the block did
    to it.

    Args:
        seconds: The limit.
        what: Takes longer, for the message.

    Raises:
        OverdueError: In the block, wherever it is; never once the block has ended.
    """

    def __init__(self, seconds: float | None, what: str = "this") -> None:
        main = threading.current_thread() is threading.main_thread()
        self._applies = seconds is not None and main and hasattr(signal, "setitimer")
        self._seconds, self._what = seconds or 0.0, what

    def __enter__(self) -> None:
        if not self._applies:
            return
        self._before: Any = signal.getsignal(signal.SIGALRM)
        left, self._interval = signal.getitimer(signal.ITIMER_REAL)
        now = time.monotonic()
        self._due = now + self._seconds
        self._outer: float | None = now + left if left else None
        signal.signal(signal.SIGALRM, self._ring)
        self._arm()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._applies:
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)  # drops one on its way to a thread
        signal.signal(signal.SIGALRM, signal.SIG_DFL if self._before is None else self._before)
        if self._outer is not None:
            left = max(self._outer - time.monotonic(), SOON_S)
            signal.setitimer(signal.ITIMER_REAL, left, self._interval)

    def _arm(self) -> None:
        first = self._due if self._outer is None else min(self._due, self._outer)
        signal.setitimer(signal.ITIMER_REAL, max(first - time.monotonic(), SOON_S), AGAIN_S)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if _is_within(frame, deadline.__exit__):
            return
        if _is_within(frame, deadline.__enter__):  # nothing would put back what it has changed
            signal.setitimer(signal.ITIMER_REAL, SOON_S, AGAIN_S)
            return
        now = time.monotonic() + SOON_S  # timers are read and set in whole microseconds
        if self._outer is not None and now >= self._outer:
            self._outer = now + self._interval if self._interval else None
            self._arm()
            if callable(self._before):
                self._before(number, frame)
        if now >= self._due:
            raise OverdueError(f"{self._what} took longer than {in_seconds(self._seconds)}")
        self._arm()


def _is_within(frame: FrameType | None, function: Callable[..., object]) -> bool:
    code = function.__code__
    while frame is not None:
        if frame.f_code is code:
            return True
        frame = frame.f_back
    return False
