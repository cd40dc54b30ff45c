"""The one boundary: an executor runs jobs, somewhere, and says what became of each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Hashable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TypeAlias

from bench.jobs.job import Job, ScoreJob
from bench.jobs.outcome import Done, Failed
from bench.jobs.run import run
from bench.jobs.workplace import Workplace
from bench.types import Progress

Outcome: TypeAlias = Done | Failed
Running: TypeAlias = "Future[Outcome]"


class Executor(ABC):
    """Runs jobs on a site, `width` at a time, each once what it needs is done.

    Args:
        workers: Processes side by side, where it has any.
        address: Of a cluster.
    """

    width: int = 1

    def __init__(self, workers: int = 1, address: str = "") -> None:
        self.workers, self.address = workers, address

    def run(
        self,
        jobs: Sequence[Job],
        place: Workplace,
        progress: Progress,
        limit_s: Callable[[Job], float | None] = lambda job: None,
        started: Callable[[Job], None] = lambda job: None,
    ) -> Generator[tuple[Job, Outcome], None, None]:
        """Yield each job with its outcome, as soon as it has one.

        One that needs a failed job fails with it, unstarted. One whose process ends is tried again
        in the parts that tell who is to blame; who failed once in a row is not tried on its other
        shards. Closing the iterator ends all that runs; what is done is kept.

        Args:
            jobs: With unlike keys; needs that are not among them are done.
            place: On whose site they run.
            progress: Told how far trainings are.
            limit_s: What a job may take, where this executor can end it.
            started: Told of each job as it starts.

        Raises:
            StoppingError: If the machine or the store is to blame, so that no other job could do.
        """
        if not jobs:
            return
        waiting, running = list(jobs), dict[Running, Job]()
        failed, bad = dict[str, Failed](), set[Hashable]()
        self._open(len(waiting), place, progress)
        try:
            while waiting or running:
                unfinished = {job.key for job in (*waiting, *running.values())}
                for job in tuple(waiting):
                    if len(running) >= self.width:
                        break
                    cause = next((need for need in job.needs if need in failed), None)
                    left = job.left(bad)
                    if cause is not None or left is None:
                        waiting.remove(job)
                        reason = "" if cause is None else failed[cause].reason
                        failed[job.key] = Failed(reason=reason, cause=cause or job.key)
                        yield job, failed[job.key]
                    elif unfinished.isdisjoint(job.needs):
                        waiting.remove(job)
                        started(left)
                        running[self._start(left, limit_s(left))] = left
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    job = running.pop(future)
                    outcome = self._outcome(job, future)
                    if isinstance(outcome, Failed) and outcome.lost and job.parts():
                        waiting[:0] = job.parts()
                        continue
                    if isinstance(outcome, Failed):
                        failed[job.key] = outcome
                        bad.add(job.blamed())
                    elif isinstance(job, ScoreJob):
                        bad.update((job.row, name) for name in outcome.failed)
                    yield job, outcome
        finally:
            self._close()

    @abstractmethod
    def _open(self, count: int, place: Workplace, progress: Progress) -> None:
        """Make ready for so many jobs."""

    @abstractmethod
    def _start(self, job: Job, limit_s: float | None) -> Running:
        """Start a job."""

    @abstractmethod
    def _outcome(self, job: Job, future: Running) -> Outcome:
        """What became of a job; the ends of processes are explained."""

    @abstractmethod
    def _close(self) -> None:
        """End all that runs, at once."""


class Inline(Executor):
    """Jobs in this process, one after the other: no isolation and no limits of time.

    One that ends or hangs the process takes the run with it, so it is for shipped code.
    """

    def _open(self, count: int, place: Workplace, progress: Progress) -> None:
        self._place, self._progress = place, progress

    def _start(self, job: Job, limit_s: float | None) -> Running:
        done: Running = Future()
        done.set_result(run(job, self._place, self._progress))
        return done

    def _outcome(self, job: Job, future: Running) -> Outcome:
        return future.result()

    def _close(self) -> None:
        del self._place
