"""Does a job: `run(job, place)`; nothing else works."""

from __future__ import annotations

from bench.contract.global_state import use_exact_fp32
from bench.jobs.features import measure_features
from bench.jobs.job import FeatureJob, Job, TrainJob
from bench.jobs.outcome import Done, Failed, is_failure
from bench.jobs.scoring.score import score_shard
from bench.jobs.train import train_network
from bench.jobs.workplace import Workplace
from bench.types import Progress


def run(job: Job, place: Workplace, progress: Progress) -> Done | Failed:
    """Do one job; its artifact is in the store when it is done, and stays as it is if it was there.

    Two runs on one store take turns: the second finds what the first one made.

    Raises:
        StoppingError: If the machine or the store is to blame, so that no other job could do.
    """
    use_exact_fp32()  # out of reach of what undoes changes that are made beside foreign code
    try:
        if isinstance(job, TrainJob):
            train_network(job, place, progress)
            return Done()
        if isinstance(job, FeatureJob):
            measure_features(job, place)
            return Done()
        return Done(failed=score_shard(job, place))
    except BaseException as error:
        if not is_failure(error):
            raise
        return Failed.of(error)
