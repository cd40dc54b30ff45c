import pytest
import torch

from bench.jobs.scoring import batches
from bench.jobs.scoring.batches import LARGEST, find_batch, is_out_of_memory

CPU = torch.device("cpu")


@pytest.fixture
def clock(monkeypatch):
    """A clock that only `spend` moves."""
    now = [0.0]
    monkeypatch.setattr(batches.time, "perf_counter", lambda: now[0])
    return now


def test_doubling_stops_where_it_gains_nothing(clock):
    def run(size):
        clock[0] += max(size, 32) * 0.1  # below 32 images the device is not full

    assert find_batch(run, CPU) == 32


def test_doubling_stops_before_memory_runs_out(clock):
    def run(size):
        if size > 16:
            raise torch.OutOfMemoryError("full")
        clock[0] += 1

    assert find_batch(run, CPU) == 16


def test_there_is_a_largest_batch(clock):
    def run(size):
        clock[0] += 1

    assert find_batch(run, CPU) == LARGEST


def test_other_errors_are_not_hidden(clock):
    def run(size):
        raise RuntimeError("expected 3 channels")

    with pytest.raises(RuntimeError, match="3 channels"):
        find_batch(run, CPU)


def test_out_of_memory_on_the_cpu_is_known_by_its_message():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(RuntimeError("something else"))
