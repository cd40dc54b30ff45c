"""Jobs in this process, one after the other: no isolation and no limits of time."""

from __future__ import annotations

from concurrent.futures import Future

from bench.execute.base import Executor, Outcome, Running
from bench.jobs.job import Job, Site
from bench.jobs.run import run
from bench.jobs.workplace import Workplace
from bench.types import Progress


class Inline(Executor):
    """A job that ends or hangs the process takes the run with it, so it is for shipped code.

    Args:
        place: What is open already, for jobs of its site.
    """

    def __init__(self, place: Workplace | None = None) -> None:
        self._given = place

    def _open(self, count: int, site: Site, progress: Progress) -> None:
        same = self._given is not None and self._given.site is site
        self._place = self._given if same and self._given else Workplace(site)
        self._progress = progress

    def _start(self, job: Job, limit_s: float | None) -> Running:
        done: Running = Future()
        done.set_result(run(job, self._place, self._progress))
        return done

    def _outcome(self, job: Job, future: Running) -> Outcome:
        return future.result()

    def _close(self) -> None:
        del self._place
