"""What the machine is, what it can do at best, and how to measure on it.

A figure without its machine says nothing. Measurements run in processes of their own: their memory
is theirs, and so are their settings.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import torch

from bench.processes import cpu_count, obey_parent, worker_context
from bench.provenance import package_versions, processor_name, provenance
from bench.types import Json

ResultT = TypeVar("ResultT")
GIGA = 1e9
MOST_SIDE = {"cpu": 2048, "cuda": 8192}
LEAST_SIDE = 256
LONGEST_S = 1.0
"""For one matrix product: where a processor has no bf16, a large one takes a minute."""
COPY_BYTES = {"cpu": 2**28, "cuda": 2**31}
REPEATS = 5


@dataclass(frozen=True, kw_only=True)
class Peaks:
    """The best of several repeats.

    Attributes:
        fp32_gflops: Of a square matrix product, a multiply-add being two operations; TF32 is off.
        bf16_gflops: The same in bf16.
        fp32_side: Of the matrices: the largest up to `MOST_SIDE` with which one product takes less
            than `LONGEST_S`.
        bf16_side: The same in bf16.
        copy_gb_s: Bytes read and written by a copy, a second.
    """

    fp32_gflops: float
    bf16_gflops: float
    copy_gb_s: float
    fp32_side: int
    bf16_side: int

    def of(self, precision: str) -> float:
        """The peak in floating-point operations a second, in units of 10^9."""
        return self.bf16_gflops if precision == "bf16" else self.fp32_gflops


def synchronise(device: torch.device) -> None:
    """Wait for everything that was started on the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def seconds_of(
    work: Callable[[], object],
    device: torch.device,
    repeats: int,
    first: Callable[[], object] | None = None,
) -> list[float]:
    """Time each of several repeats, after one, or `first`, that pays for what is set up once."""
    (first or work)()
    times = []
    for _ in range(repeats):
        synchronise(device)
        began = time.perf_counter()
        work()
        synchronise(device)
        times.append(time.perf_counter() - began)
    return times


@torch.inference_mode()
def measure_peaks(device: torch.device) -> Peaks:
    """Multiply and copy large matrices."""
    (fp32, fp32_side), (bf16, bf16_side) = (
        _product_gflops(dtype, device) for dtype in (torch.float32, torch.bfloat16)
    )
    source = torch.zeros(COPY_BYTES.get(device.type, 2**28), dtype=torch.uint8, device=device)
    goal = torch.ones_like(source)
    copied = min(seconds_of(lambda: goal.copy_(source), device, REPEATS))
    return Peaks(
        fp32_gflops=fp32,
        bf16_gflops=bf16,
        copy_gb_s=2 * source.nbytes / copied / GIGA,
        fp32_side=fp32_side,
        bf16_side=bf16_side,
    )


def _product_gflops(dtype: torch.dtype, device: torch.device) -> tuple[float, int]:
    side, most = LEAST_SIDE, MOST_SIDE.get(device.type, 2048)
    while 2 * side <= most and 8 * min(_product_s(side, dtype, device, 1)) < LONGEST_S:
        side *= 2
    return 2 * side**3 / min(_product_s(side, dtype, device, REPEATS)) / GIGA, side


def _product_s(side: int, dtype: torch.dtype, device: torch.device, repeats: int) -> list[float]:
    one = torch.randn(side, side, device=device).to(dtype)
    return seconds_of(lambda: one @ one, device, repeats)


def describe_machine(device: torch.device) -> dict[str, Json]:
    """Processor, cores, memory, accelerator, packages, code."""
    cuda = device.type == "cuda"
    return {
        "processor": processor_name(),
        "cores": cpu_count(),
        "memory_gib": _memory_gib(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "bf16_matrix_unit": torch.cpu._is_amx_tile_supported(),
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
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError, AttributeError):
        return None


def in_child(work: Callable[..., ResultT], *arguments: Any) -> ResultT:
    """Call a function of a module in a fresh process and wait for what it returns."""
    with ProcessPoolExecutor(1, mp_context=worker_context(), initializer=obey_parent) as pool:
        return pool.submit(work, *arguments).result()
