"""Which code a module is made of: itself and all that it imports, directly or through another.

Imports are read from the text, also those inside functions, and followed without importing
anything. Where the text does not tell, it is said so.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.sources.in_memory import as_imported, shown_module
from bench.sources.places import installed_as, is_python_or_ours

ENVIRONMENT = "environment variables that {file} reads"
COMPUTED = "modules that {file} line {line} imports by a computed name"
NATIVE = "files that {name} opens"
_NATIVE = ("torch.jit", "safetensors", "cv2", "onnxruntime", "h5py", "tensorflow", "pyarrow")
"""Libraries that open files where Python does not see it."""
_NATIVE_CALLS = {
    *("VideoCapture", "VideoReader", "checkpoint_path", "from_file", "from_pretrained", "imread"),
    *("load_file", "load_library", "open_dataset", "open_zarr", "read_feather", "read_file"),
    *("read_hdf", "read_image", "read_orc", "read_parquet", "read_video", "safe_open"),
}
"""What is called, or how an argument is called, where other libraries do so."""


@dataclass(frozen=True, kw_only=True)
class Code:
    """Modules and all that they import.

    Attributes:
        files: SHA-256 of each module that is neither Python's, nor installed, nor camobench's, by
            name.
        paths: That of their files, by path.
        distributions: Versions of the installed ones that they import, by name.
        not_covered: What shapes results perhaps and is not hashed, for people.
        computes_imports: Whether there is an import by a computed name.
    """

    files: Mapping[str, str]
    paths: Mapping[Path, str]
    distributions: Mapping[str, str]
    not_covered: tuple[str, ...]
    computes_imports: bool


def imports_of(file: Path) -> list[tuple[str, int]]:
    """Every module that a file names in an import, wherever that stands, and the line.

    Names are as written: `bench.contract`, or `.net` where it is relative. Of `from a import b`
    both `a` and `a.b` are given, since `b` may be a module.
    """
    return _parsed(file.read_bytes(), str(file)).imports


@dataclass
class _Text:
    """What the text of a module says."""

    imports: list[tuple[str, int]] = field(default_factory=list)
    computed: list[int] = field(default_factory=list)
    opening: set[str] = field(default_factory=set)
    reads_environment: bool = False


@functools.lru_cache(maxsize=512)
def _parsed(text: bytes, name: str) -> _Text:
    found = _Text()
    try:
        tree = ast.parse(text, filename=name)
    except (SyntaxError, ValueError):  # whoever imports it will be told
        return found
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            dot = "" if base.endswith(".") else "."
            names = [base, *(f"{base}{dot}{alias.name}" for alias in node.names)]
            found.reads_environment |= any(a.name in ("environ", "getenv") for a in node.names)
        elif isinstance(node, ast.Call):
            named = _called(node)
            found.opening |= _NATIVE_CALLS & {named, *(str(given.arg) for given in node.keywords)}
            if named in ("import_module", "__import__"):
                constants = [a.value for a in node.args[:1] if isinstance(a, ast.Constant)]
                names = [name for name in constants if isinstance(name, str)]
            if named == "load" and ast.unparse(node.func).endswith("jit.load"):
                found.imports.append(("torch.jit", node.lineno))
            if named in ("exec", "run_path", "run_module", "exec_module", "load_module") or (
                named in ("import_module", "__import__") and not names
            ):
                found.computed.append(node.lineno)
        elif isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
            found.reads_environment = True
        found.imports += [(name, node.lineno) for name in names]  # type: ignore[attr-defined]
    return found


def _called(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


class _Found(NamedTuple):
    """A module: its file, if it has one, and where its own modules lie, if it is a package."""

    file: Path | None
    places: tuple[str, ...] | None


def _found(file: str | None, places: Iterable[str] | None) -> _Found:
    return _Found(Path(file).resolve() if file else None, None if places is None else tuple(places))


def _find(name: str) -> _Found | None:
    """Where a module is, without importing it; `None` where there is none."""
    module = sys.modules.get(name)
    if module is not None:
        return _found(getattr(module, "__file__", None), getattr(module, "__path__", None))
    parent, _, tail = name.rpartition(".")
    above = _find(parent) if parent else None
    if parent and (above is None or above.places is None):
        return None
    places = None if above is None else above.places
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, places)
        except KeyError:  # a folder without `__init__.py`, in a package that is not imported
            return _found(None, [str(Path(one) / tail) for one in places or ()])
        if spec is not None:
            origin = spec.origin if spec.has_location else None
            return _found(origin, spec.submodule_search_locations)
    return None


def code_of(modules: Iterable[str], libraries: Iterable[str] = ()) -> Code:
    """All code behind some modules, whose own packages are hashed wherever they lie.

    A module that this process has imported is hashed as it was then, even if its file has changed.

    Raises:
        CamobenchError: If a module was edited after it was imported and before it was looked at.
    """
    waiting = sorted(modules)
    own = {name.partition(".")[0] for name in waiting}  # its own package, wherever that lies
    waiting = ["camobench", *sorted(libraries), *waiting]
    files: dict[str, str] = {}
    paths: dict[Path, str] = {}
    distributions: dict[str, str] = {}
    loose: set[str] = set()
    computes = False
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        found = None if name in seen else _find(name)
        seen.add(name)
        if found is None or found.file is None:
            continue
        top = name.partition(".")[0]
        installed = installed_as(top, found.file)
        distributions |= installed
        if top not in own and (installed or is_python_or_ours(found.file)):
            loose |= {NATIVE.format(name=one) for one in _with_packages(name) if one in _NATIVE}
            continue
        text = as_imported(name, found.file)
        files[shown_module(name)] = paths[found.file] = hashlib.sha256(text).hexdigest()
        if found.file.suffix == ".py":
            said, file = _parsed(text, str(found.file)), found.file.name
            waiting += _absolute(said.imports, name, found)
            computes |= bool(said.computed)
            loose |= {NATIVE.format(name=one) for one in said.opening}
            loose |= {COMPUTED.format(file=file, line=line) for line in said.computed}
            loose |= {ENVIRONMENT.format(file=file)} if said.reads_environment else set()
    return Code(
        files=dict(sorted(files.items())),
        paths=dict(sorted(paths.items())),
        distributions=dict(sorted(distributions.items())),
        not_covered=tuple(sorted(loose)),
        computes_imports=computes,
    )


def _absolute(imports: Iterable[tuple[str, int]], module: str, found: _Found) -> Iterator[str]:
    """Every module that is named, and the packages that it lies in."""
    package = module if found.places is not None else module.rpartition(".")[0]
    for name, _ in imports:
        try:
            whole = importlib.util.resolve_name(name, package)
        except ImportError:  # beyond its top-level package: Python refuses it, too
            continue
        yield from _with_packages(whole)
    yield from _with_packages(module)


def _with_packages(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))
