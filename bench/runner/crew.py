"""Trainings side by side in worker processes; one whose process dies fails alone."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial

import torch

from bench.contract.plugin_files import PluginFile, load_again, loaded_plugin_files
from bench.runner.failures import Failures, JobFailedError
from bench.runner.graph import Graph, Job
from bench.runner.relay import RelayedProgress, Reports, relayed
from bench.supervision import how_it_ended
from bench.training.side_by_side import start_training_process
from bench.types import CamobenchError, Progress, Silent

TrainJob = Callable[[Job, Progress], None]


class Lot:
    """Which jobs may still run, now that some have failed."""

    def __init__(self, graph: Graph, failures: Failures | None) -> None:
        self.graph, self.failures = graph, failures

    def may_run(self, job: Job) -> bool:
        """Whether all that it needs is there; if not, it fails as well."""
        if self.failures is None:
            return True
        for need in job.needs:
            if need in self.failures.jobs:
                cause = self.failures.jobs[need]
                self.failures.jobs[job.key] = self.failures.follow(job.label, cause)
                return False
        return True

    @contextmanager
    def noting(self, job: Job) -> Iterator[None]:
        """Take note if the block, which is a job, fails."""
        try:
            yield
        except (JobFailedError, torch.OutOfMemoryError) as error:
            if self.failures is None and isinstance(error, JobFailedError):
                said = error.reason.removeprefix(f"{job.label}: ")
                raise CamobenchError(f"{job.label}: {said}") from error
            if self.failures is None:
                raise
            self.failures.jobs[job.key] = self.failures.note(job.label, error)
        else:
            if self.failures is not None:
                self.failures.clear(job.label)


def run_side_by_side(
    jobs: list[Job], train_job: TrainJob, workers: int, progress: Progress, lot: Lot
) -> None:
    """Run jobs in worker processes, each as soon as what it needs is there.

    Args:
        jobs: All of them.
        train_job: Can travel to another process.
        workers: Jobs side by side.
        progress: Told how far they are.
        lot: Says which may still run, and takes note of those that fail.
    """
    spawn = multiprocessing.get_context("spawn")
    with relayed(spawn, progress) as reports:
        crew = partial(
            ProcessPoolExecutor,
            mp_context=spawn,
            initializer=_start_worker,
            initargs=(reports, workers, loaded_plugin_files()),
        )
        waiting = list(jobs)
        while waiting:
            # A pool does not tell which job ended its process: each is tried again by itself.
            for job in _run_until_broken(crew(workers), waiting, train_job, workers, lot):
                if lot.may_run(job):
                    with lot.noting(job), _closing(crew(1)) as pool:
                        _run_alone(pool, job, train_job)


def _run_until_broken(
    pool: ProcessPoolExecutor, waiting: list[Job], train_job: TrainJob, workers: int, lot: Lot
) -> list[Job]:
    """Take jobs off `waiting` and run them; returns those that ran when a process died."""
    running: dict[Future[None], Job] = {}
    suspects: list[Job] = []
    with _closing(pool):
        while (waiting or running) and not suspects:
            waiting[:] = [job for job in waiting if lot.may_run(job)]
            unfinished = {job.key for job in (*waiting, *running.values())}
            ready = [job for job in waiting if not unfinished & set(job.needs)]
            for job in ready[: workers - len(running)]:
                waiting.remove(job)
                try:
                    running[pool.submit(_worker_job, train_job, job)] = job
                except BrokenProcessPool:
                    suspects.append(job)
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                job = running.pop(future)
                with lot.noting(job):
                    try:
                        future.result()
                    except BrokenProcessPool:
                        suspects.append(job)
        for future, job in running.items():
            with lot.noting(job):
                try:
                    future.result()
                except BrokenProcessPool:
                    suspects.append(job)
    return suspects


def _run_alone(pool: ProcessPoolExecutor, job: Job, train_job: TrainJob) -> None:
    future = pool.submit(_worker_job, train_job, job)
    (process,) = pool._processes.values()
    try:
        future.result()
    except BrokenProcessPool as error:
        pool.shutdown(wait=True)  # which joins the process
        raise JobFailedError(how_it_ended(process.exitcode or 0), str(error)) from error


@contextmanager
def _closing(pool: ProcessPoolExecutor) -> Iterator[ProcessPoolExecutor]:
    try:
        yield pool
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_worker_progress: Progress = Silent()
_worker_plugins: tuple[PluginFile, ...] = ()


def _start_worker(reports: Reports, workers: int, plugins: tuple[PluginFile, ...]) -> None:
    global _worker_progress, _worker_plugins
    start_training_process(workers)
    _worker_progress, _worker_plugins = RelayedProgress(reports), plugins


def _worker_job(train_job: TrainJob, job: Job) -> None:
    load_again(_worker_plugins)  # here, not at the start: there an error would break the pool
    train_job(job, _worker_progress)
