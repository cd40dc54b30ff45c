"""Where a result comes from: code, packages, machine, time."""

from __future__ import annotations

import platform
import shutil
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.types import Json

PACKAGES = (
    *("camobench", "torch", "torchvision", "timm", "torchmetrics"),
    *("scikit-learn", "numpy", "pandas", "pillow"),
)
CPUINFO = Path("/proc/cpuinfo")


@cache
def package_versions() -> dict[str, str]:
    """Versions of the packages that can move a number."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


@cache
def code_state() -> tuple[str | None, bool | None]:
    """Commit of the source tree, and whether it has changes; `None` for what is no checkout."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists() or shutil.which("git") is None:
        return None, None
    words = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        said = subprocess.run(  # noqa: S603
            words, cwd=root, capture_output=True, text=True, check=True, timeout=10
        ).stdout
    except (subprocess.SubprocessError, OSError):
        return None, None
    commit, _, dirty = said.strip().partition("-")
    return commit, bool(dirty)


@cache
def processor_name() -> str:
    """The processor as it calls itself: the same seed gives other last bits on another one."""
    if CPUINFO.is_file():
        for line in CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def provenance() -> dict[str, Json]:
    """The part of an entry that says which code ran where and when."""
    commit, dirty = code_state()
    return {
        "commit": commit,
        "dirty": dirty,
        "packages": dict(package_versions()),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
