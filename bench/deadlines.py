"""A limit on how long foreign code may take."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN_S = 5.0
"""Code that swallows the interruption is interrupted again after so many seconds."""


class OverdueError(BaseException):
    """A time limit has passed; no `Exception`, so that `except Exception` cannot swallow it."""


@contextmanager
def deadline(seconds: float | None, what: str = "this") -> Iterator[None]:
    """Interrupt the block when it takes longer.

    Covers Python code in the main thread of a process on Linux and macOS, also a loop that never
    ends. A single call into C or CUDA is interrupted when it returns. In other threads, on Windows
    and with `None` there is no limit.

    Raises:
        OverdueError: In the block, wherever it is.
    """
    main = threading.current_thread() is threading.main_thread()
    if seconds is None or not main or not hasattr(signal, "setitimer"):
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise OverdueError(f"{what} took longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
