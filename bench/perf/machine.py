"""What was measured on: a figure without its machine says nothing."""

from __future__ import annotations

import os
import platform

import torch

from bench.perf.children import GIB
from bench.processes import cpu_count
from bench.provenance import package_versions, processor_name, provenance
from bench.types import Json


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
