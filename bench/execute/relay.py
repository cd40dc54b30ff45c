"""Progress that crosses processes: each worker has a line of its own, so none can block another."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Client, Connection, Listener
from typing import Any, TypeAlias

from bench.types import Progress

Address: TypeAlias = Any
"""Of the line's other end."""
_AUTHKEY = b"camobench"  # the socket is one of this user's files
_numbers = itertools.count()


class RelayedProgress:
    """The worker's end of what `relayed` yielded. Tasks are numbered: two may share a label."""

    def __init__(self, address: Address, line: Connection | None = None) -> None:
        self._address, self._task = address, -1
        self._line = line or Client(address, authkey=_AUTHKEY)

    def start(self, label: str, total: int, done: int = 0) -> None:
        """Begin a task."""
        self._task = next(_numbers)
        self._say("start", label, total, done)

    def advance(self, units: int = 1, **figures: float) -> None:
        """Report units done."""
        self._say("advance", units, **figures)

    def finish(self) -> None:
        """End the task."""
        self._say("finish")

    def fork(self) -> RelayedProgress:
        """Another task on the same line."""
        return RelayedProgress(self._address, self._line)

    def _say(self, what: str, *arguments: Any, **figures: float) -> None:
        with suppress(OSError):  # whoever listened has ended
            self._line.send((self._task, what, arguments, figures))


@contextmanager
def relayed(progress: Progress) -> Iterator[Address]:
    """Show what workers report to the yielded address through forks of `progress`."""
    listener, over = Listener(authkey=_AUTHKEY), threading.Event()

    def accept() -> None:
        while not over.is_set():
            with suppress(OSError, EOFError):
                line = listener.accept()
                threading.Thread(target=_show, args=(line, progress), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.address
    finally:
        over.set()
        with suppress(OSError):
            Client(listener.address, authkey=_AUTHKEY).close()  # wakes it
        thread.join(timeout=1)
        listener.close()


def _show(line: Connection, progress: Progress) -> None:
    tasks: dict[int, Progress] = {}
    with suppress(OSError, EOFError):
        while True:
            task, what, arguments, figures = line.recv()
            if task not in tasks:
                tasks[task] = progress.fork()
            getattr(tasks[task], what)(*arguments, **figures)
            if what == "finish":
                del tasks[task]
