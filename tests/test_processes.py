import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
import torch

from bench import processes
from bench.processes import cpu_count, default_workers, in_order
from bench.types import CamobenchError

GIB = 2**30


def test_cores_are_those_that_a_process_is_granted(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert cpu_count() == 1


@pytest.mark.parametrize(
    ("device", "free_gib", "cores", "workers"),
    [
        ("cuda", 139, 16, 4),
        ("cuda", 139, 2, 2),
        ("cuda", 17, 16, 2),
        ("cuda", 4, 16, 1),
        ("cpu", 0, 7, 7),
        ("mps", 0, 7, 1),
    ],
)
def test_networks_are_trained_as_far_as_cores_and_memory_go(
    monkeypatch, device, free_gib, cores, workers
):
    monkeypatch.setattr(processes, "cpu_count", lambda: cores)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free_gib * GIB, 140 * GIB))
    assert default_workers(torch.device(device)) == workers


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


def test_a_worker_that_dies_is_an_error_with_a_remedy():
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    with pytest.raises(CamobenchError, match="fewer --workers"):
        list(in_order(pool, os._exit, [1], ahead=2))
