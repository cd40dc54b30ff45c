"""Whose code a file is: Python's, an installed distribution's, camobench's, or somebody's own."""

from __future__ import annotations

import functools
import site
import sys
import sysconfig
from contextlib import suppress
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
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
    return any(folder in path.parents for folder in folders)


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
    installed = _INSTALLED & set(path.parts) or _below(path, (*OURS, *site_folders()))
    return not (installed or is_python_or_ours(path))


@functools.cache
def _distributions(_: tuple[str, ...]) -> dict[str, list[str]]:
    """Names of distributions by top-level module, on this import path."""
    return {module: list(names) for module, names in _packages_distributions().items()}


def installed_as(module: str, path: Path) -> dict[str, str]:
    """Versions of the distributions that installed a module's file, by name.

    None for a file that only shares a distribution's name, and for an editable install, whose files
    lie elsewhere.
    """
    return dict(_installed_as(module.partition(".")[0], path.parent, tuple(sys.path)))


@functools.cache
def _installed_as(top: str, folder: Path, import_path: tuple[str, ...]) -> dict[str, str]:
    if is_python_or_ours(folder / "any.py"):
        with suppress(PackageNotFoundError):
            return {"camobench": version("camobench")} if _below(folder / "any", OURS) else {}
        return {}
    found = {}
    for name in dict.fromkeys(_distributions(import_path).get(top, ())):
        try:
            one = distribution(name)
        except PackageNotFoundError:
            continue
        if Path(str(one.locate_file(""))).resolve() in (folder, *folder.parents) and _is_installed(
            one
        ):
            found[str(one.metadata["Name"])] = one.version
    return found


def _is_installed(one: Distribution) -> bool:
    """Whether it was put where it is; a build leaves metadata beside its sources, too."""
    root = Path(str(one.locate_file(""))).resolve()
    return root in site_folders() or bool(one.read_text("RECORD"))
