"""Versions, processor, accelerators, and folders that hide the packages."""

from __future__ import annotations

import importlib.util
import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import torch

from bench.processes import cpu_count
from bench.provenance import code_state, package_versions, processor_name
from bench.verdicts import Verdict

PYTHON = (3, 11)
CPUINFO = Path("/proc/cpuinfo")
_FEATURES = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_bf16": "AVX-512 bf16",
    "amx_tile": "AMX",
    "amx_bf16": "AMX bf16",
    "bf16": "bf16",  # Arm's name for it
}
_OURS = ("bench", "attacks", "victims")


def check_versions() -> Iterator[Verdict]:
    """Python, this package and those that can move a number."""
    version = platform.python_version()
    old = sys.version_info < PYTHON
    yield Verdict(
        check="python",
        verdict="fail" if old else "ok",
        finding=f"{version} on {platform.system()} {platform.machine()}",
        remedy="install Python 3.11 or newer" if old else "",
    )
    commit, dirty = code_state()
    code = "" if commit is None else f", commit {commit[:12]}{' with changes' if dirty else ''}"
    least = least_versions()
    for name, found in package_versions().items():
        wanted = least.get(name)
        absent = found == "not installed"
        behind = not absent and wanted is not None and _parts(found) < _parts(wanted)
        yield Verdict(
            check=name,
            verdict="fail" if absent or behind else "ok",
            finding=found
            + (code if name == "camobench" else "")
            + (f", older than {wanted}" if behind else ""),
            remedy=f"pip install '{name}>={wanted or 0}'" if absent or behind else "",
        )


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
    """Processor, what it is quick at, and accelerators."""
    cores, threads = cpu_count(), torch.get_num_threads()
    features = cpu_features()
    if features is None:
        told = "not told by this system"
    else:
        told = ", ".join(features) or "none that matters"
        if not any("bf16" in feature for feature in features):
            told += "; none for bf16, which is many times slower than fp32 on it"
    yield Verdict(
        check="processor",
        verdict="ok",
        finding=f"{processor_name()}; {cores} cores, torch uses {threads} threads; "
        f"vector units: {told}",
    )
    if not torch.cuda.is_available():
        built = torch.version.cuda
        driver = bool(built) and Path("/proc/driver/nvidia").exists()
        yield Verdict(
            check="cuda",
            verdict="warn" if driver else "ok",
            finding="no CUDA device: "
            + (f"torch is built for CUDA {built}" if built else "torch is built without CUDA"),
            remedy="a driver is there: check it with nvidia-smi" if driver else "",
        )
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        made = torch.cuda.get_device_properties(number)
        free, total = torch.cuda.mem_get_info(number)
        bf16 = torch.cuda.is_bf16_supported()
        yield Verdict(
            check=f"cuda:{number}",
            verdict="ok" if free > total / 10 else "warn",
            finding=f"{made.name}, {total / 2**30:.0f} GiB ({free / 2**30:.0f} free), "
            f"capability {made.major}.{made.minor}, bf16 {'yes' if bf16 else 'no'}, "
            f"CUDA {torch.version.cuda}",
            remedy="" if free > total / 10 else "another process fills its memory",
        )
    if torch.backends.mps.is_available():
        yield Verdict(check="mps", verdict="ok", finding="Apple GPU is there")


def cpu_features(listed: Path = CPUINFO) -> list[str] | None:
    """Vector units that matter here; `None` where the system does not tell."""
    if not listed.is_file():
        return None
    for line in listed.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            flags = set(value.split())
            return [shown for flag, shown in _FEATURES.items() if flag in flags]
    return None


def check_shadows(paths: list[str] | None = None) -> Verdict:
    """Folders that hide `bench`, `attacks` or `victims`, or would from where this runs.

    Args:
        paths: Where Python looks; by default its own path and the working directory.
    """
    home = Path(__file__).resolve().parents[2]
    for package in _OURS:
        spec = importlib.util.find_spec(package)
        places = [
            Path(place).resolve() for place in (spec and spec.submodule_search_locations) or ()
        ]
        if home / package not in places:
            where = places[0] if places else "nowhere"
            return Verdict(
                check="shadowing folders",
                verdict="fail",
                finding=f"{package!r} is {where}, not camobench's in {home}",
                remedy="run from another folder, take it off PYTHONPATH, or rename it",
            )
    looked = [Path(place or ".").resolve() for place in (sys.path if paths is None else paths)]
    looked.append(Path.cwd())
    hidden = {
        str(folder / package)
        for folder in looked
        for package in _OURS
        if folder != home
        and ((folder / package).is_dir() or (folder / f"{package}.py").is_file())
        and folder / package != home / package
    }
    return Verdict(
        check="shadowing folders",
        verdict="warn" if hidden else "ok",
        finding=f"of our names: {', '.join(sorted(hidden))}" if hidden else "none",
        remedy="scripts started there would import yours instead: rename them" if hidden else "",
    )
