import os
import subprocess
import sys

import pytest
import torch

from bench import processes
from bench.processes import default_workers

GIB = 2**30


def test_on_the_cpu_every_core_trains_a_network(monkeypatch):
    monkeypatch.setattr(processes, "cpu_count", lambda: 7)
    assert default_workers(torch.device("cpu")) == 7


@pytest.mark.parametrize(
    ("free_gib", "cores", "workers"), [(139, 16, 4), (139, 2, 2), (17, 16, 2), (4, 16, 1)]
)
def test_a_gpu_is_shared_as_far_as_cores_and_memory_go(monkeypatch, free_gib, cores, workers):
    monkeypatch.setattr(processes, "cpu_count", lambda: cores)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free_gib * GIB, 140 * GIB))
    assert default_workers(torch.device("cuda")) == workers


def test_other_devices_train_one_at_a_time():
    assert default_workers(torch.device("mps")) == 1


@pytest.mark.parametrize(("told", "cores", "threads"), [("1", 8, 1), ("2", 8, 2), ("2", 2, 1)])
def test_a_worker_takes_its_share_of_the_cores_and_no_more_threads_than_it_is_told(
    told, cores, threads
):
    code = (
        f"import torch\nfrom bench import processes\nprocesses.cpu_count = lambda: {cores}\n"
        "processes.start_training_process(2)\nprint(torch.get_num_threads())"
    )
    told = {**os.environ, "OMP_NUM_THREADS": told}
    done = subprocess.run([sys.executable, "-c", code], env=told, capture_output=True, text=True)
    assert done.stdout.split() == [str(threads)], done.stderr
