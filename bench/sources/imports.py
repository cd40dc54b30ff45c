"""Which code a module is made of: itself and all that it imports, directly or through another.

Imports are read from the text, also those inside functions, and followed without importing
anything. Where the text does not tell, it is said so.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import json
import sys
import time
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.sources.places import installed_as, is_python_or_ours
from bench.types import CamobenchError

ENVIRONMENT = "environment variables that {file} reads"
COMPUTED = "modules that {file} line {line} imports by a computed name"
_NATIVE = {
    name: f"files that {name} opens"
    for name in ("torch.jit", "safetensors", "cv2", "onnxruntime", "h5py", "tensorflow", "pyarrow")
}
"""Libraries that open files where Python does not see it."""


@dataclass(frozen=True, kw_only=True)
class Import:
    """One imported module.

    Attributes:
        name: Dotted, as written: `bench.contract`, or `.net` where it is relative.
        file: That imports it.
        line: Of the statement.
    """

    name: str
    file: Path
    line: int


@dataclass(frozen=True, kw_only=True)
class Code:
    """Modules and all that they import.

    Attributes:
        sha256: Of each module that is neither Python's, nor installed, nor camobench's, by name.
        paths: Their files.
        distributions: Versions of the installed ones that they import, by name.
        not_covered: What the text does not tell, for people.
        computes_imports: Whether there is an import by a computed name.
    """

    sha256: Mapping[str, str]
    paths: tuple[Path, ...]
    distributions: Mapping[str, str]
    not_covered: tuple[str, ...]
    computes_imports: bool

    @property
    def digest(self) -> str:
        """One digest of all modules and versions."""
        whole = [dict(self.sha256), dict(self.distributions)]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def imports_of(file: Path) -> Iterator[Import]:
    """Every module that a file names in an import, wherever that stands.

    Of `from a import b` both `a` and `a.b` are given, since `b` may be a module.

    Raises:
        SyntaxError: If the file is no Python.
    """
    return (
        Import(name=name, file=file, line=line)
        for name, line in _parsed(file.read_bytes(), str(file)).imports
    )


@dataclass
class _Text:
    """What the text of a module says."""

    imports: list[tuple[str, int]] = field(default_factory=list)
    computed: list[int] = field(default_factory=list)
    reads_environment: bool = False


@functools.lru_cache(maxsize=512)
def _parsed(text: bytes, name: str) -> _Text:
    found = _Text()
    for node in ast.walk(ast.parse(text, filename=name)):
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


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A module: its file, if it has one, and where its own modules lie, if it is a package."""

    file: Path | None
    places: tuple[str, ...] | None = None


def _find(name: str) -> _Found | None:
    """Where a module is, without importing it; `None` where there is none."""
    module = sys.modules.get(name)
    if module is not None:
        file, places = getattr(module, "__file__", None), getattr(module, "__path__", None)
        return _Found(
            file=Path(file).resolve() if file else None,
            places=None if places is None else tuple(places),
        )
    parent = name.rpartition(".")[0]
    above = _find(parent) if parent else None
    if parent and (above is None or above.places is None):
        return None
    places = None if above is None else above.places
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, places)
        except KeyError:  # a folder without `__init__.py`, in a package that is not imported
            tail = name.rpartition(".")[2]
            return _Found(file=None, places=tuple(str(Path(one) / tail) for one in places or ()))
        if spec is not None:
            inner = spec.submodule_search_locations
            return _Found(
                file=Path(spec.origin).resolve() if spec.has_location and spec.origin else None,
                places=None if inner is None else tuple(inner),
            )
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
    sha256: dict[str, str] = {}
    paths: list[Path] = []
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
            loose |= {text for native, text in _NATIVE.items() if native in _with_packages(name)}
            continue
        text = _as_imported(name, found.file)
        sha256[shown_module(name)] = hashlib.sha256(text).hexdigest()
        paths.append(found.file)
        if found.file.suffix == ".py":
            said, file = _said(text, found.file), found.file.name
            waiting += _absolute(said.imports, name, found)
            computes |= bool(said.computed)
            loose |= {COMPUTED.format(file=file, line=line) for line in said.computed}
            loose |= {ENVIRONMENT.format(file=file)} if said.reads_environment else set()
    return Code(
        sha256=dict(sorted(sha256.items())),
        paths=tuple(sorted(paths)),
        distributions=dict(sorted(distributions.items())),
        not_covered=tuple(sorted(loose)),
        computes_imports=computes,
    )


def _said(text: bytes, file: Path) -> _Text:
    try:
        return _parsed(text, str(file))
    except (SyntaxError, ValueError):  # whoever imports it will be told
        return _Text()


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


_BEGAN = time.time()
_texts: dict[str, tuple[types.ModuleType, object, bytes]] = {}
"""Text of each imported module when it was first looked at; reloading gives it another spec."""


def _as_imported(name: str, file: Path) -> bytes:
    module = sys.modules.get(name)
    if module is None:
        return file.read_bytes()
    known = _texts.get(name)
    if known is None or known[0] is not module or known[1] is not module.__spec__:
        known = _texts[name] = (module, module.__spec__, _text_in_memory(module, file))
    return known[2]


def _text_in_memory(module: types.ModuleType, file: Path) -> bytes:
    """Text of a module that is looked at for the first time.

    Raises:
        CamobenchError: If what was imported is another text, as after an edit in a notebook.
    """
    text = file.read_bytes()
    if file.suffix == ".py" and file.stat().st_mtime > _BEGAN:
        space = vars(module)
        held = [one for one in space.values() if isinstance(one, types.FunctionType)]
        mine = [one.__code__ for one in held if one.__globals__ is space]
        written = compile(text, str(file), "exec", dont_inherit=True)
        if not set(mine) <= set(_codes(written)):
            raise CamobenchError(
                f"{file.name} has changed since this process imported it: reload it "
                "(`importlib.reload`), or start anew"
            )
    return text


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for one in code.co_consts:
        if isinstance(one, types.CodeType):
            yield from _codes(one)


def edited(modules: Iterable[str]) -> list[str]:
    """Modules of those and of all that they import whose files have changed since the import."""
    mine = code_of(modules).sha256
    return [name for name in _texts if shown_module(name) in mine and _changed(name)]


def _changed(name: str) -> bool:
    module, _, text = _texts[name]
    file = Path(str(module.__file__))
    return sys.modules.get(name) is module and not (file.is_file() and file.read_bytes() == text)


PACKAGES = "camobench_plugin_"
"""How the packages are called that plug-in files are loaded into, before the digest."""


def shown_module(name: str) -> str:
    """A module's name without that of the package that a plug-in file was loaded into."""
    return name.partition(".")[2] or "__init__" if name.startswith(PACKAGES) else name
