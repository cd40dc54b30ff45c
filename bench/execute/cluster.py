"""Jobs as tasks of a Ray cluster: `pip install camobench[ray]`.

Every node has this version of camobench. One that does not see the store of the run keeps one of
its own, fetches what its jobs read through Ray, and returns what they make; plug-in files travel in
any case. A task whose worker or node is lost is begun anew by Ray, elsewhere, with what is left of
its limit; a job that is done is in the store, so that nothing is done twice.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bench.execute.base import Executor, Outcome, Running
from bench.execute.node_store import Parcel, fetch, made_by, marked, own_store, pack, unpack
from bench.jobs import travel
from bench.jobs.job import Job, Site, TrainJob
from bench.jobs.outcome import Failed, gpu_error, is_failure
from bench.jobs.run import run
from bench.jobs.workplace import Workplace
from bench.types import SILENT, CamobenchError, Progress, StoppingError
from bench.wording import in_seconds

RETRIES = 3
"""How often a job is begun anew where nodes are lost."""
AHEAD = 2
"""Jobs that are handed over for each processor, so that none waits for the next."""


class Ray(Executor):
    """Tasks on a cluster, by default of $RAY_ADDRESS or this machine: a processor or a GPU each."""

    def _open(self, count: int, place: Workplace, progress: Progress) -> None:
        site = place.site
        try:
            import ray
        except ImportError as error:
            raise CamobenchError(
                "executor ray needs Ray: pip install 'camobench[ray]', or take another --executor"
            ) from error
        self._ray, self._running = ray, dict[Running, Any]()
        if not ray.is_initialized():
            ray.init(address=self.address or None, log_to_driver=False, configure_logging=False)
        luggage = travel.pack(site.keys, whole=True)
        asked = {"num_cpus": 1}
        if site.device.startswith("cuda"):  # a task sees its GPU alone, as the first one
            asked, site = {"num_gpus": 1}, replace(site, device="cuda")
        has = ray.cluster_resources().get("GPU" if "num_gpus" in asked else "CPU", 0)
        if not has:
            raise CamobenchError(f"the Ray cluster has nothing of {next(iter(asked))} to give")
        self.width = max(1, int(AHEAD * has))
        # What somebody else's code ends is no lost node: scoring is tried again in parts instead.
        retries = 0 if luggage else RETRIES
        # On GPUs Ray's default is a new process for each task: trainings harm no other job so, but
        # scoring would open all networks again.
        self._train = ray.remote(**asked, max_retries=RETRIES)(_work)
        self._score = ray.remote(**asked, max_retries=retries, max_calls=0)(_work)
        self._root = site.store_root
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        home = ray.remote(num_cpus=0, scheduling_strategy=here)(Home).remote(site.store_root)
        self._stack = ExitStack()
        mark = self._stack.enter_context(marked(site.store_root))
        self._given = ray.put(site), ray.put(luggage), home, mark
        self._progress = progress.fork()
        self._progress.start("jobs on Ray", count)

    def _start(self, job: Job, limit_s: float | None) -> Running:
        begun = self._train if isinstance(job, TrainJob) else self._score
        task = begun.remote(job, limit_s, *self._given)
        running: Running = task.future()
        self._running[running] = task
        return running

    def _outcome(self, job: Job, future: Running) -> Outcome:
        self._progress.advance()
        del self._running[future]
        outcome: Outcome
        try:
            outcome, parcel = future.result()  # type: ignore[misc]
        except self._ray.exceptions.RayTaskError as error:
            cause = error.cause
            raise (cause if isinstance(cause, StoppingError) else error) from error
        except self._ray.exceptions.RayError as error:
            reason = "its worker on the cluster ended"
            return Failed(reason=reason, text=f"{reason}\n\n{error}", lost=True)
        unpack(parcel, self._root)
        return outcome

    def _close(self) -> None:
        for task in self._running.values():
            self._ray.cancel(task, force=True)
        self._ray.kill(self._given[2])
        self._stack.close()
        self._progress.finish()


class Home:
    """Beside the run's store: reads it for nodes that do not see it, and knows when jobs began."""

    def __init__(self, root: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.root, self._clock, self._ends = root, clock, dict[str, float]()

    def read(self, place: str) -> Parcel:
        """The files of a place in the store."""
        return pack(self.root, [place])

    def left_s(self, key: str, limit_s: float) -> float:
        """Of a job's limit, which counts from its first start: one that hangs is not tried again.

        It is negative where a node was lost and the job waited too long for another one.
        """
        now = self._clock()
        return self._ends.setdefault(key, now + limit_s) - now


_place: Workplace | None = None
_luggage: bytes | None = None


def _work(
    job: Job, limit_s: float | None, site: Site, luggage: bytes | None, home: Any, mark: str
) -> tuple[Outcome, Parcel]:
    """Do a job on a node; its process ends itself where it exceeds its limit, in C too."""
    global _luggage
    own = own_store(site, mark)
    try:
        if own is not None:
            fetch(job, site, own, partial(_asked, home.read))
        if luggage != _luggage:
            travel.unpack(luggage)
            _luggage = luggage
        if limit_s is not None:
            left_s = _asked(home.left_s, job.key, limit_s)
            if left_s <= 0:
                reason = f"not done {in_seconds(limit_s)}, its limit, after its first start"
                return Failed(reason=reason, lost=True), {}
            faulthandler.dump_traceback_later(left_s, exit=True)
        if own is None:
            return _done(job, site), {}
        outcome = _done(job, replace(site, store_root=own))
        return outcome, pack(own, made_by(job, own))
    except BaseException as error:
        if not is_failure(error):
            raise
        return Failed.of(error), {}
    finally:
        faulthandler.cancel_dump_traceback_later()


def _done(job: Job, site: Site) -> Outcome:
    global _place
    if _place is None or _place.site != site:
        _place = Workplace(site)
    outcome = run(job, _place, SILENT)
    if (spoilt := gpu_error(outcome)) and not isinstance(job, TrainJob):
        print(spoilt.text, file=sys.stderr, flush=True)  # into Ray's log of this worker
        os._exit(1)
    return outcome


def _asked(method: Any, *arguments: Any) -> Any:
    import ray

    return ray.get(method.remote(*arguments))
