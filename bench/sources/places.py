"""Whose code a file is: Python's, an installed distribution's, camobench's, or somebody's own."""

from __future__ import annotations

import functools
import site
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, version
from importlib.metadata import packages_distributions as _packages_distributions
from pathlib import Path

OURS = tuple(Path(__file__).resolve().parents[2] / name for name in ("bench", "attacks", "victims"))
_INSTALLED = {"site-packages", "dist-packages"}


@functools.cache
def _standard_folders() -> tuple[Path, ...]:
    names = ("stdlib", "platstdlib")
    return tuple({Path(sysconfig.get_path(name)).resolve() for name in names})


@functools.cache
def site_folders() -> tuple[Path, ...]:
    """Where distributions are installed."""
    found = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    return tuple({Path(path).resolve() for path in (*found, site.getusersitepackages())})


def _below(path: Path, folders: tuple[Path, ...]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


@functools.cache
def is_python_or_ours(path: Path) -> bool:
    """Whether a file is of the standard library, or of camobench, whose versions are known."""
    if path.suffix == ".py" and _below(path, OURS):
        return True
    standard = [folder for folder in _standard_folders() if folder in path.parents]
    return any(not _INSTALLED & set(path.relative_to(folder).parts) for folder in standard)


@functools.cache
def is_somebodys(path: Path) -> bool:
    """Whether a file is neither Python's nor camobench's nor in a folder of installed packages."""
    return not (_is_installed(path) or _below(path, OURS) or is_python_or_ours(path))


def _is_installed(path: Path) -> bool:
    return bool(_INSTALLED & set(path.parts)) or _below(path, site_folders())


@functools.cache
def _distributions(_: tuple[str, ...]) -> dict[str, list[str]]:
    """Names of distributions by top-level module, on this import path."""
    return {module: list(names) for module, names in _packages_distributions().items()}


def installed_as(module: str, path: Path) -> dict[str, str]:
    """Versions of the distributions that installed a module's file, by name.

    None for a file that only shares a distribution's name, and for an editable install, whose files
    lie elsewhere.
    """
    top = module.partition(".")[0]
    if is_python_or_ours(path):
        names = ["camobench"] if _below(path, OURS) else []
    else:
        names = _distributions(tuple(sys.path)).get(top, []) if _is_installed(path) else []
    return {name: found for name in names if (found := _version(name))}


@functools.cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
