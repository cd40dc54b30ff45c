"""The machine: versions, processor, accelerators and LPIPS."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import torch

from bench.metrics.lpips import GOLDEN, Lpips
from bench.processes import cpu_count
from bench.provenance import code_state, package_versions, processor_name
from bench.types import CamobenchError
from bench.verdicts import Verdict

PYTHON = (3, 11)


def check_versions() -> Iterator[Verdict]:
    """Python, this package and those that can move a number."""
    version = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < PYTHON:
        yield Verdict("python", "fail", version, "install Python 3.11 or newer")
    else:
        yield Verdict("python", "ok", version)
    commit, dirty = code_state()
    code = "" if commit is None else f", commit {commit[:12]}{' with changes' if dirty else ''}"
    least = least_versions()
    for name, found in package_versions().items():
        wanted = least.get(name, "0")
        absent = found == "not installed"
        behind = not absent and _parts(found) < _parts(wanted)
        told = found + (code if name == "camobench" else "")
        if absent or behind:
            told += f", older than {wanted}" if behind else ""
            yield Verdict(name, "fail", told, f"pip install '{name}>={wanted}'")
        else:
            yield Verdict(name, "ok", told)


def least_versions() -> dict[str, str]:
    """The oldest version that camobench asks for, by package."""
    try:
        wanted = requires("camobench") or []
    except PackageNotFoundError:
        return {}
    found = (re.match(r"([\w.-]+)>=([\d.]+)", line) for line in wanted)
    return {match[1]: match[2] for match in found if match}


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])


def check_devices() -> Iterator[Verdict]:
    """Processor and accelerators."""
    threads = f"{cpu_count()} cores, torch uses {torch.get_num_threads()} threads"
    yield Verdict("processor", "ok", f"{processor_name()}; {threads}")
    built = torch.version.cuda
    if not torch.cuda.is_available():
        driver = bool(built) and Path("/proc/driver/nvidia").exists()
        how = f"torch is built for CUDA {built}" if built else "torch is built without CUDA"
        remedy = "a driver is there: check it with nvidia-smi" if driver else ""
        yield Verdict("cuda", "warn" if driver else "ok", f"no CUDA device: {how}", remedy)
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        made = torch.cuda.get_device_properties(number)
        free, total = torch.cuda.mem_get_info(number)
        finding = (
            f"{made.name}, {total / 2**30:.0f} GiB ({free / 2**30:.0f} free), "
            f"capability {made.major}.{made.minor}, "
            f"bf16 {'yes' if torch.cuda.is_bf16_supported() else 'no'}, CUDA {built}"
        )
        if free > total / 10:
            yield Verdict(f"cuda:{number}", "ok", finding)
        else:
            yield Verdict(f"cuda:{number}", "warn", finding, "another process fills its memory")
    if torch.backends.mps.is_available():
        yield Verdict("mps", "ok", "Apple GPU is there")


def check_lpips() -> Verdict:
    """Open the metric: its weights are whole, and it gives its known value."""
    try:
        Lpips(torch.device("cpu"))
    except CamobenchError as error:
        reason, _, remedy = str(error).rpartition(": ")
        return Verdict("lpips", "fail", reason, remedy)
    return Verdict("lpips", "ok", f"weights as shipped; the golden pair gives {GOLDEN}")
