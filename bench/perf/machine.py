"""What is measured on, and processes of their own to measure in.

A figure without its machine says nothing; a measurement's memory and settings are its own.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import platform
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import torch

from bench.processes import cpu_count, obey_parent
from bench.provenance import package_versions, processor_name, provenance
from bench.types import Json

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


def describe_machine(device: torch.device) -> dict[str, Json]:
    """Processor, cores, memory, accelerator, packages, code."""
    cuda = device.type == "cuda"
    return {
        "processor": processor_name(),
        "cores": cpu_count(),
        "memory_gib": _memory_gib(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "bf16_matrix_unit": _has_amx(),
        "device": device.type,
        "device_name": torch.cuda.get_device_name(device) if cuda else processor_name(),
        "threads": torch.get_num_threads(),
        "load_average": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "system": platform.system(),
        **{name: value for name, value in provenance().items() if name in ("commit", "created")},
        "packages": dict(package_versions()),
    }


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB, 1)
    except (ValueError, OSError, AttributeError):
        return None


def _has_amx() -> bool | None:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as listed:
            return any("amx_bf16" in line for line in listed)
    except OSError:
        return None
