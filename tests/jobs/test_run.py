"""What holds for every job, whichever a process begins with."""

import pytest
import torch
from torch.backends import cudnn

from bench.jobs.job import FeatureJob, ScoreJob
from bench.jobs.outcome import Done
from bench.jobs.run import run
from bench.jobs.workplace import Workplace
from bench.types import SILENT
from tests.smoke import matrix_of

JOBS = {
    "distortion": ScoreJob(attack="identity", stems=(), shard=0, images=1, row="a", kept="b"),
    "features": FeatureJob(attack="identity", key="c"),
}


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_the_first_job_of_a_process_runs_attacks_in_exact_fp32(smoke_copy, monkeypatch, job):
    seen = []

    def transform(self, images, targets):
        seen.append(cudnn.allow_tf32 or torch.backends.cuda.matmul.allow_tf32)
        return images

    monkeypatch.setattr("attacks.controls.Identity.transform", transform)
    monkeypatch.setattr(cudnn, "allow_tf32", True)  # as torch begins
    place = Workplace(matrix_of(smoke_copy.store).place.site)
    assert run(job, place, SILENT) == Done()
    assert seen
    assert not any(seen)
