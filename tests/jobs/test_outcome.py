"""Trials: who fails is noted and not run again; what is nobody's failure passes."""

import asyncio
import weakref
from functools import partial

import pytest
import torch

from bench.jobs.outcome import (
    Done,
    Failed,
    ParticipantError,
    Trial,
    gpu_error,
    is_out_of_memory,
    reason_of,
)
from bench.types import StoppingError


def crash():
    raise ValueError("two\n\x1b\udc80lines")


def test_a_trial_does_not_run_what_has_failed_again():
    trial, calls = Trial(strict=False), []

    def call():
        calls.append(1)
        crash()

    assert trial.victim("a", call) is None
    assert trial.victim("a", call) is None
    assert len(calls) == 1
    assert trial.victim("b", lambda: 5) == 5
    with pytest.raises(ParticipantError) as error:
        trial.attack(crash)
    assert reason_of(error.value) == "ValueError: two lines"


def test_memory_is_a_failure_only_for_a_single_image():
    trial = Trial(strict=False)

    greedy = raising(torch.OutOfMemoryError("more"))
    with pytest.raises(torch.OutOfMemoryError):
        trial.victim("a", greedy, images=2)
    with pytest.raises(torch.OutOfMemoryError):
        trial.attack(greedy, images=2)
    assert trial.victim("a", greedy, images=1) is None
    assert "a" in trial.failed


def raising(error):
    def call():
        raise error

    return call


@pytest.mark.parametrize("error", [KeyboardInterrupt(), StoppingError("no space left")])
def test_interruptions_and_full_disks_pass(error):
    for run in (partial(Trial(strict=False).victim, "a"), Trial(strict=False).attack):
        with pytest.raises(type(error)):
            run(raising(error))
    with pytest.raises(ValueError, match="two"):
        Trial().attack(crash)


@pytest.mark.parametrize(
    "error",
    [asyncio.CancelledError("over"), SystemExit("over"), BaseExceptionGroup("over", [KeyError()])],
)
def test_whatever_else_foreign_code_ends_with_is_its_failure(error):
    trial = Trial(strict=False)
    assert trial.victim("a", raising(error)) is None
    assert trial.failed["a"].reason.startswith(type(error).__name__)
    with pytest.raises(ParticipantError):
        trial.attack(raising(error))


def test_out_of_memory_on_the_cpu_is_known_by_its_message():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(RuntimeError("something else"))


@pytest.mark.parametrize(
    "said",
    [
        "MPS backend out of memory (MPS allocated: 9.00 GB, max allowed: 9.07 GB)",
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    ],
)
def test_out_of_memory_on_accelerators_is_known_by_its_message_too(said):
    assert is_out_of_memory(RuntimeError(said))
    broken = RuntimeError("CUDA error: device-side assert triggered")
    assert gpu_error(Done(failed={"a": Failed.of(broken)})) == Failed.of(broken)
    assert gpu_error(Failed.of(RuntimeError(said))) is None  # the process can go on


def test_what_a_failed_victim_held_is_freed():
    trial, held = Trial(strict=False), []

    def call():
        large = torch.zeros(9)
        held.append(weakref.ref(large))
        crash()

    assert trial.victim("a", call) is None
    assert held[0]() is None
