"""Progress that crosses processes: workers put reports on a queue, the parent shows them."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import SpawnContext
from typing import Any, Protocol

from bench.types import Progress


class Reports(Protocol):
    """The part of a queue that is used."""

    def put(self, item: Any) -> None:
        """Add a report."""

    def get(self) -> Any:
        """Wait for a report."""


_numbers = itertools.count()


class RelayedProgress:
    """The worker's end. Tasks are numbered: two of them may share a label."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._task = ""

    def start(self, label: str, total: int, done: int = 0) -> None:
        """Begin a task."""
        self._task = f"{os.getpid()}-{next(_numbers)}"
        self._reports.put((self._task, "start", (label, total, done), {}))

    def advance(self, units: int = 1, **figures: float) -> None:
        """Report units done."""
        self._reports.put((self._task, "advance", (units,), figures))

    def finish(self) -> None:
        """End the task."""
        self._reports.put((self._task, "finish", (), {}))

    def fork(self) -> RelayedProgress:
        """Another task on the same queue."""
        return RelayedProgress(self._reports)


@contextmanager
def relayed(context: SpawnContext, progress: Progress) -> Iterator[Reports]:
    """Show what workers report on the yielded queue through forks of `progress`."""
    reports = context.Queue()
    # A worker that is ended while it reports keeps the queue's lock; do not wait for it at exit.
    reports.cancel_join_thread()

    def show() -> None:
        tasks: dict[str, Progress] = {}
        while (report := reports.get()) is not None:
            task, what, arguments, figures = report
            if task not in tasks:
                tasks[task] = progress.fork()
            getattr(tasks[task], what)(*arguments, **figures)
            if what == "finish":
                del tasks[task]

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield reports
    finally:
        reports.put(None)
        thread.join(timeout=5)
