"""What is of the whole process, torch's settings above all, kept from the code of others."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.backends import cuda, cudnn, mkldnn

from bench.store import digest


def _flag(place: Any, name: str) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    return partial(getattr, place, name), partial(setattr, place, name)


def _autocast(kind: str) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    return partial(torch.is_autocast_enabled, kind), partial(torch.set_autocast_enabled, kind)


def _deterministic() -> tuple[bool, bool]:
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    return torch.are_deterministic_algorithms_enabled(), warns


_NEWER_PLACES: tuple[Any, ...] = tuple(
    place
    for place in (
        *(torch.backends, mkldnn, cudnn),
        *(getattr(mkldnn, name, None) for name in ("matmul", "conv", "rnn")),
        cuda.matmul,
        *(getattr(cudnn, name, None) for name in ("conv", "rnn")),
    )
    if hasattr(place, "fp32_precision")
)
"""Where torch 2.9 and newer say how exact fp32 is; older ways stay beside it."""
_EXACT = ("highest", False)


def _precision() -> tuple[Any, ...]:
    try:
        older = torch.get_float32_matmul_precision(), cudnn.allow_tf32
    except RuntimeError:  # set in the newer way, after which torch refuses to tell in the older
        older = _EXACT
    return (*older, *(place.fp32_precision for place in _NEWER_PLACES))


def _set_precision(wanted: tuple[Any, ...]) -> None:
    for place in _NEWER_PLACES:
        place.fp32_precision = "none"
    torch.set_float32_matmul_precision(wanted[0])
    cudnn.allow_tf32 = wanted[1]
    for place, value in zip(_NEWER_PLACES, wanted[2:], strict=True):
        if place.fp32_precision != value:
            place.fp32_precision = value


def use_exact_fp32() -> None:
    """Turn TF32 and bf16 off: the signal lives in the last grey level, which they round away."""
    _set_precision((*_EXACT, *["ieee"] * len(_NEWER_PLACES)))


_STATE: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (
        torch.get_default_device,
        lambda wanted: torch.set_default_device(None if wanted.type == "cpu" else wanted),
    ),
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.get_num_threads, torch.set_num_threads),
    (
        _deterministic,
        lambda wanted: torch.use_deterministic_algorithms(wanted[0], warn_only=wanted[1]),
    ),
    _autocast("cpu"),
    _autocast("cuda"),
    (_precision, _set_precision),
    _flag(cudnn, "benchmark"),
    _flag(cudnn, "deterministic"),
    _flag(cudnn, "enabled"),
    _flag(mkldnn, "enabled"),
)
_TURN = threading.RLock()


@contextmanager
def kept_global_state() -> Iterator[None]:
    """Undo what the block changes of torch's settings, and the folder that paths begin at.

    Random numbers are left as they are (`kept_random_numbers` keeps those).
    """
    folder, before = os.getcwd(), [read() for read, _ in _STATE]
    try:
        yield
    finally:
        os.chdir(folder)
        for (read, write), wanted in zip(_STATE, before, strict=True):
            if read() != wanted:
                write(wanted)


@contextmanager
def usual_global_state() -> Iterator[None]:
    """Run the block as in a new process, whatever its caller has set, who finds all as it was.

    Types, devices and gradients are the usual ones inside; what is drawn moves no random numbers
    of the caller's. Threads take turns: what one sets, the other one's networks would run by.
    """
    with _TURN, kept_global_state(), torch.inference_mode(False), kept_random_numbers():
        if torch.get_default_device().type != "cpu":  # torch unsets none within `with torch.device`
            torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)
        for kind in ("cpu", "cuda"):
            torch.set_autocast_enabled(kind, False)
        with torch.device("cpu") if torch.get_default_device().type != "cpu" else nullcontext():
            yield


@contextmanager
def kept_random_numbers() -> Iterator[None]:
    """Let what is drawn outside of the block not know of it."""
    drawn, drawn_by_numpy = random.getstate(), np.random.get_state()
    begun = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    try:
        with torch.random.fork_rng(range(torch.cuda.device_count() if begun else 0)):
            yield
    finally:
        random.setstate(drawn)
        np.random.set_state(drawn_by_numpy)
        if not begun:  # what `torch.manual_seed` has said to a GPU that nobody has used
            torch.cuda.manual_seed_all(torch.initial_seed())


def random_numbers(device: torch.device) -> tuple[Any, ...]:
    """Where the generators stand that everybody draws from: equal if nothing was drawn."""
    by_numpy = np.random.get_state(legacy=False)
    keys = by_numpy.pop("state")
    drawn = [torch.get_rng_state().tolist()]
    if device.type != "cpu":
        drawn.append(torch.get_device_module(device).get_rng_state(device).tolist())
    return random.getstate(), by_numpy, keys["key"].tobytes(), keys["pos"], drawn


def seed_by(text: str, torch_seed: int | None = None) -> None:
    """Let what is random in somebody's code be the same in whichever process it runs."""
    seed = int(digest(text)[:8], 16)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed if torch_seed is None else torch_seed)
