"""Which jobs an executor starts, and what becomes of those that need, or share, what failed."""

from concurrent.futures import Future

import pytest

from bench.execute import EXECUTORS, executor_of
from bench.execute.base import Executor
from bench.jobs.job import ScoreJob, TrainJob
from bench.jobs.outcome import Done, Failed
from bench.types import SILENT, WrongUsageError


class Pretending(Executor):
    """Notes what it starts; jobs end as `ends` says of their labels, else they are done."""

    def __init__(self, ends=None, width=2):
        self.ends, self.width, self.began, self.closed = ends or {}, width, [], 0

    def _open(self, count, site, progress):
        pass

    def _start(self, job, limit_s):
        self.began.append(told(job))
        future = Future()
        future.set_result(self.ends.get(told(job), Done()))
        return future

    def _outcome(self, job, future):
        return future.result()

    def _close(self):
        self.closed += 1


def told(job):
    if isinstance(job, TrainJob):
        return job.name
    return (job.shard, *(name for name, _ in job.stems), *(["alone"] if job.alone else []))


def network(name, *needs):
    return TrainJob(kind="victim", name=name, set_name="A", key=name, seed=0, needs=needs)


def shard(number, *victims):
    stems = tuple((name, name) for name in victims)
    return ScoreJob(attack="fog", stems=stems, shard=number, images=2, row="row", kept="row")


def outcomes(executor, *jobs):
    return {told(job): end for job, end in executor.run(jobs, None, SILENT)}


def test_a_job_waits_for_its_needs_and_fails_with_them():
    executor = Pretending({"b": Failed(reason="broken")})
    found = outcomes(executor, network("c", "a"), network("a"), network("d", "b"), network("b"))
    assert executor.began.index("a") < executor.began.index("c")
    assert "d" not in executor.began
    assert (found["d"].cause, found["d"].reason) == ("b", "broken")
    assert (found["c"], executor.closed) == (Done(), 1)


def test_a_lost_job_is_tried_again_one_victim_at_a_time():
    lost = Failed(reason="ended the process", lost=True)
    ends = {(0, "x", "y"): lost, (0, "y", "alone"): lost}
    executor = Pretending(ends, width=1)
    found = outcomes(executor, shard(0, "x", "y"), shard(1, "x", "y"))
    assert found[0, "x", "alone"] == found[0, "alone"] == found[1, "x"] == Done()
    assert found[0, "y", "alone"] is lost
    assert (0, "x", "y") not in found
    assert executor.began[-1] == (1, "x")  # who is known to fail is not tried again


def test_where_the_attack_is_to_blame_no_victim_is_tried():
    lost = Failed(reason="ended the process", lost=True)
    executor = Pretending({(0, "x", "y"): lost, (0, "alone"): lost}, width=1)
    found = outcomes(executor, shard(0, "x", "y"), shard(1, "x", "y"))
    assert executor.began == [(0, "x", "y"), (0, "alone")]
    assert {key: bool(end.cause) for key, end in found.items()} == {
        (0, "alone"): False,
        (0, "x", "alone"): True,
        (0, "y", "alone"): True,
        (1, "x", "y"): True,
    }


def test_a_line_makes_an_executor_known_by_name(monkeypatch):
    monkeypatch.setitem(EXECUTORS, "pretending", lambda workers, address: Pretending(width=workers))
    assert executor_of("pretending", None, 3).width == 3
    with pytest.raises(WrongUsageError, match="choose auto, inline, local, ray, pretending"):
        executor_of("rey", None, 3)


def test_whoever_stops_listening_ends_what_runs():
    executor = Pretending()
    running = executor.run([network("a"), network("b")], None, SILENT)
    next(running)
    running.close()
    assert executor.closed == 1
    with pytest.raises(StopIteration):
        next(running)
