"""Work in a child process, so that code that ends or hangs its process costs itself alone.

Python cannot catch a segmentation fault, the kernel's killing for want of memory, `os._exit`, or a
call into C that never returns. The child says on a shared page who is at work; its parent only
waits. When the child dies or hangs while somebody is named, it is started again, and there that
one's call raises instead. On Linux and macOS, and only for a command line with plug-ins.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import faulthandler
import json
import mmap
import os
import select
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, NoReturn

from bench.wording import in_seconds

GRACE_S = 30.0
"""How long after its limit a call may go on before its process is killed."""
LAST_WORDS_S = 5.0
LOOK_S = 0.5
PAGE_BYTES = 4096
MOST_TOLD = 300
"""Characters of each name on the page, which has room for six bytes of each."""
ASKED_TO_STOP = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT) if os.name == "posix" else ()


class EndedProcessError(Exception):
    """What was called had ended the process, or hung in it, before.

    Args:
        reason: One line.
        stack: Of all threads, where it could be had.
    """

    def __init__(self, reason: str, stack: str = "") -> None:
        super().__init__(reason, stack)
        self.reason, self.stack = reason, stack


@dataclass(frozen=True, kw_only=True)
class _Work:
    who: str
    where: str
    limit_s: float | None
    due: float | None


class _Page:
    """What parent and child share: who is at work, and whether the child came to its end."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, PAGE_BYTES)

    def tell(self, work: _Work | None, *, ended: bool = False) -> None:
        text = json.dumps({"work": None if work is None else vars(work), "ended": ended})
        line = text.encode()
        self._memory[: len(line) + 1] = line + b"\0"

    def read(self) -> tuple[_Work | None, bool]:
        try:
            told: dict[str, Any] = json.loads(self._memory[:].partition(b"\0")[0])
        except ValueError:  # read while it was written
            return None, False
        return None if told["work"] is None else _Work(**told["work"]), told["ended"]


_page: _Page | None = None
_lost: dict[tuple[str, str], EndedProcessError] = {}
_now: _Work | None = None


@contextmanager
def at_work(who: str, where: str = "", limit_s: float | None = None) -> Iterator[None]:
    """Say who is at work in the block; costs nothing where nobody supervises.

    Args:
        who: "victim pef-x".
        where: "on images of fog".
        limit_s: After which the block is interrupted, if that can be; or sooner, when a block
            around it is due.

    Raises:
        EndedProcessError: If the same ended the process before.
    """
    global _now
    if _page is None:
        yield
        return
    who, where = who[:MOST_TOLD], where[:MOST_TOLD]
    if (who, where) in _lost:
        raise _lost[who, where]
    before, due = _now, None if limit_s is None else time.monotonic() + limit_s
    if before is not None and before.due is not None and (due is None or before.due < due):
        limit_s, due = before.limit_s, before.due  # the block around this one ends sooner
    _now = _Work(who=who, where=where, limit_s=limit_s, due=due)
    _page.tell(_now)
    try:
        yield
    finally:
        _now = before
        _page.tell(_now)


def supervise() -> None:
    """Go on in a child process; called before anything starts threads.

    Returns:
        In the child; the parent ends here with the child's exit code. Where processes cannot be
        forked, or threads run already, in this process and without a supervisor.
    """
    global _page
    if sys.platform not in ("linux", "darwin") or _page is not None:
        return
    if "torch" in sys.modules or threading.active_count() > 1:
        return
    page, parent = _Page(), os.getpid()
    with tempfile.TemporaryFile("w+") as stack:
        while True:
            page.tell(None)
            stack.truncate(0)
            stack.seek(0)
            sys.stdout.flush()
            sys.stderr.flush()
            alive, held = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(alive)
                _page = page
                _start_child(page, parent, os.dup(stack.fileno()))
                return
            os.close(held)
            try:
                _follow(child, alive, page, stack)
            finally:
                os.close(alive)


def _start_child(page: _Page, parent: int, stack: int) -> None:
    atexit.register(_say_ended, page, os.getpid())
    faulthandler.enable(stack)
    signal.signal(signal.SIGINT, _interrupt_once())
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    else:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def _say_ended(page: _Page, child: int) -> None:
    if os.getpid() == child:  # not in what a plug-in forks
        page.tell(None, ended=True)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_S)
    os._exit(1)


def _interrupt_once() -> Any:
    """Ctrl-C reaches parent and child, and the parent hands it on: it must count once."""
    last = [float("-inf")]

    def interrupt(number: int, frame: object) -> None:
        before, last[0] = last[0], time.monotonic()
        if last[0] - before > 1:
            raise KeyboardInterrupt

    return interrupt


def _follow(child: int, alive: int, page: _Page, stack: IO[str]) -> None:
    """Wait for the child; returns where it is to be started again.

    Raises:
        SystemExit: With its exit code otherwise.
    """

    def pass_on(number: int, frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    before = signal.signal(signal.SIGINT, pass_on)
    try:
        code, hung = _wait(child, alive, page)
    finally:
        signal.signal(signal.SIGINT, before)
    work, ended = page.read()
    if ended and not hung and code >= 0:
        raise SystemExit(code)
    if not hung and -code in ASKED_TO_STOP:
        raise SystemExit(128 - code)
    stack.seek(0)
    said, reason = stack.read(), how_it_ended(code)
    if work is not None and hung:
        reason = f"took longer than {in_seconds(work.limit_s or 0)} and could not be interrupted"
    if work is None or (work.who, work.where) in _lost:
        _give_up(reason, said)
    _lost[work.who, work.where] = EndedProcessError(reason, said)
    _show_cursor()
    print(f"{work.who} {work.where}".strip(), f"{reason}; going on without", file=sys.stderr)


def _wait(child: int, alive: int, page: _Page) -> tuple[int, bool]:
    """Its exit code, negative for a signal, and whether it had to be killed."""
    hung, over = False, False
    while True:
        if over:
            time.sleep(LOOK_S / 10)
        else:
            over = bool(select.select([alive], [], [], LOOK_S)[0])
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), hung
        work, _ = page.read()
        if work is not None and work.due is not None and time.monotonic() > work.due + GRACE_S:
            number = signal.SIGKILL if hung else signal.SIGABRT  # the latter leaves its stack
            hung = True
            os.kill(child, number)
            end = time.monotonic() + LAST_WORDS_S
            while time.monotonic() < end and not select.select([alive], [], [], LOOK_S)[0]:
                pass


def how_it_ended(code: int) -> str:
    """How a process ended by itself, from its exit code, negative for a signal."""
    if code >= 0:
        return f"ended the process (exit code {code})"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else "unknown"
    likely = ": most likely out of memory" if -code == signal.SIGKILL else ""
    return f"ended the process (signal {-code}, {name}{likely})"


def _show_cursor() -> None:
    """A progress bar that was cut off has hidden it."""
    if sys.stderr.isatty():
        print("\033[?25h", end="", file=sys.stderr)


def _give_up(reason: str, stack: str) -> NoReturn:
    _show_cursor()
    print(stack, end="", file=sys.stderr)
    print(f"error: the run {reason}; what is done is kept", file=sys.stderr)
    raise SystemExit(1)
