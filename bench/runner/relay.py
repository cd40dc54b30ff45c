"""Progress that crosses processes: workers put reports on a queue, the parent shows them."""

from __future__ import annotations

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


class RelayedProgress:
    """The worker's end. Each task is named by its label, which is unique among jobs."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._label = ""

    def start(self, label: str, total: int) -> None:
        """Begin a task."""
        self._label = label
        self._reports.put(("start", label, total, {}))

    def advance(self, units: int = 1, **figures: float) -> None:
        """Report units done."""
        self._reports.put(("advance", self._label, units, figures))

    def finish(self) -> None:
        """End the task."""
        self._reports.put(("finish", self._label, 0, {}))

    def fork(self) -> RelayedProgress:
        """Another task on the same queue."""
        return RelayedProgress(self._reports)


@contextmanager
def relayed(context: SpawnContext, progress: Progress) -> Iterator[Reports]:
    """Show what workers report on the yielded queue through forks of `progress`."""
    reports = context.Queue()

    def show() -> None:
        tasks: dict[str, Progress] = {}
        while (report := reports.get()) is not None:
            what, label, units, figures = report
            if what == "start":
                tasks[label] = progress.fork()
                tasks[label].start(label, units)
            elif what == "advance":
                tasks[label].advance(units, **figures)
            else:
                tasks.pop(label).finish()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield reports
    finally:
        reports.put(None)
        thread.join(timeout=5)
