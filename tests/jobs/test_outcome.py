"""Trials: who fails is noted and not run again; what is nobody's failure passes."""

import asyncio

import pytest
import torch

from bench.jobs.outcome import ParticipantError, Trial, reason_of
from bench.types import StoppingError


def crash():
    raise ValueError("two\nlines")


def test_a_trial_does_not_run_what_has_failed_again():
    trial, calls = Trial(strict=False), []

    def call():
        calls.append(1)
        crash()

    assert trial.victim("a", call) is None
    assert trial.victim("a", call) is None
    assert len(calls) == 1
    assert trial.left({"a": 1, "b": 2}) == {"b": 2}
    assert trial.victim("b", lambda: 5) == 5
    with pytest.raises(ParticipantError) as error:
        trial.attack(crash)
    assert reason_of(error.value) == "ValueError: two lines"


def test_a_strict_trial_raises():
    with pytest.raises(ValueError, match="two"):
        Trial().victim("a", crash)
    with pytest.raises(ValueError, match="two"):
        Trial().attack(crash)


def test_memory_is_a_failure_only_for_a_single_image():
    trial = Trial(strict=False)

    def greedy():
        raise torch.OutOfMemoryError("more")

    with pytest.raises(torch.OutOfMemoryError):
        trial.victim("a", greedy, images=2)
    with pytest.raises(torch.OutOfMemoryError):
        trial.attack(greedy, images=2)
    assert trial.victim("a", greedy, images=1) is None
    assert "a" in trial.failed


def test_interruptions_and_full_disks_pass():
    def interrupt():
        raise KeyboardInterrupt

    def full():
        raise StoppingError("no space left")

    for call, kind in ((interrupt, KeyboardInterrupt), (full, StoppingError)):
        with pytest.raises(kind):
            Trial(strict=False).victim("a", call)
        with pytest.raises(kind):
            Trial(strict=False).attack(call)


@pytest.mark.parametrize("kind", [asyncio.CancelledError, SystemExit, BaseExceptionGroup])
def test_whatever_else_foreign_code_ends_with_is_its_failure(kind):
    def end():
        raise kind("over", [KeyError()]) if kind is BaseExceptionGroup else kind("over")

    trial = Trial(strict=False)
    assert trial.victim("a", end) is None
    assert reason_of(trial.failed["a"]).startswith(
        "ExceptionGroup" if kind is BaseExceptionGroup else kind.__name__
    )
    with pytest.raises(ParticipantError):
        trial.attack(end)
