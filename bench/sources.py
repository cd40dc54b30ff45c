"""Which files a plug-in is made of, what they import, and one digest over them all.

A plug-in's results are kept under a key that hashes its sources, so that those of an edited
version are never taken for them. Imports are read from the text, also those inside functions;
what is imported by a computed name (`importlib.import_module(name)`) is not seen.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


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


def imports_of(file: Path) -> Iterator[Import]:
    """Every module that a file names in an import, wherever that stands.

    Of `from a import b` both `a` and `a.b` are given, since `b` may be a module.

    Raises:
        SyntaxError: If the file is no Python.
    """
    for node in ast.walk(ast.parse(file.read_bytes(), filename=str(file))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            dot = "" if base.endswith(".") else "."
            names = [base, *(f"{base}{dot}{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            constants = [part.value for part in node.args[:1] if isinstance(part, ast.Constant)]
            names = [name for name in constants if isinstance(name, str)]
        else:
            continue
        yield from (Import(name=name, file=file, line=node.lineno) for name in names)


def _called(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def file_and_neighbours(file: Path) -> tuple[Path, ...]:
    """A plug-in file and all that it reaches by relative imports (`from .net import G`)."""
    found: dict[Path, None] = {}
    waiting = [file.resolve()]
    initial = file.resolve().parent / "__init__.py"
    if initial.is_file():
        waiting.append(initial)
    while waiting:
        source = waiting.pop()
        if source not in found:
            found[source] = None
            waiting += [
                path
                for one in imports_of(source)
                if one.name.startswith(".")
                for path in _modules(source, one.name)
            ]
    return tuple(sorted(found))


def _modules(source: Path, name: str) -> Iterator[Path]:
    """Files of the module that `name` is, seen from `source`; none where it is no module."""
    dotted = name.lstrip(".")
    folder = source.parent
    for _ in range(len(name) - len(dotted) - 1):
        folder = folder.parent
    for part in filter(None, dotted.split(".")):
        yield from filter(Path.is_file, [folder / f"{part}.py"])
        folder = folder / part
        yield from filter(Path.is_file, [folder / "__init__.py"])


def source_files(builder: object) -> tuple[Path, ...]:
    """Files of an installed plug-in: of its whole top-level package, or its single module.

    Raises:
        ValueError: If its source cannot be found, as for a class typed into a console.
    """
    while isinstance(builder, functools.partial):
        builder = builder.func
    known = inspect.isclass(builder) or inspect.isfunction(builder)
    try:
        found = inspect.getsourcefile(builder if known else type(builder))  # type: ignore[arg-type]
    except TypeError:
        found = None
    file = Path(found or "")
    if not file.is_file():
        raise ValueError(
            f"the source of plug-in {builder!r} cannot be found, so its results could not be told "
            "from those of an edited version; put it into a file"
        )
    if not (file.parent / "__init__.py").is_file():
        return (file,)
    top = file.parent
    while (top.parent / "__init__.py").is_file():
        top = top.parent
    return tuple(sorted(top.rglob("*.py")))


def digest_of(files: tuple[Path, ...]) -> str:
    """SHA-256 over the names and the bytes of some files."""
    digest = hashlib.sha256()
    shared = Path(*_common([file.resolve().parent.parts for file in files]))
    for file in files:
        name = file.resolve().relative_to(shared).as_posix()
        digest.update(name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _common(places: list[tuple[str, ...]]) -> tuple[str, ...]:
    shared = []
    for parts in zip(*places, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return tuple(shared)


def source_digest(builder: object) -> str:
    """SHA-256 over the sources that an installed plug-in is made of.

    Raises:
        ValueError: If they cannot be found.
    """
    return digest_of(source_files(builder))
