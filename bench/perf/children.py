"""Measurements in processes of their own: their memory is theirs, and so are their settings."""

from __future__ import annotations

import gc
import multiprocessing
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import torch

from bench.processes import obey_parent

ResultT = TypeVar("ResultT")
GIB = 2**30


def in_child(work: Callable[..., ResultT], *arguments: Any) -> ResultT:
    """Call a function of a module in a fresh process and wait for what it returns."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=obey_parent) as pool:
        return pool.submit(work, *arguments).result()


def memory_gib(device: torch.device) -> float:
    """What this process holds now, in the same place."""
    gc.collect()
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device) / GIB
    listed = Path("/proc/self/statm")
    if not listed.is_file():
        return peak_memory_gib(device)  # no less than what it holds
    pages = int(listed.read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / GIB


def peak_memory_gib(device: torch.device) -> float:
    """The most this process has held so far: on an accelerator there, else in main memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / GIB
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / GIB
