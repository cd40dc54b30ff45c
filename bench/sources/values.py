"""What tells two classes apart: their names, those of all that they inherit from, what they hold.

Classes of one source text may still differ: made in a loop, by a function or by `type`, or by what
their module holds in memory. So the values of class attributes, closures, defaults, bound arguments
and of the globals that functions name are told too, each by what pickling it would keep; and of
functions whose text is in no file, such as those of a notebook, the text and what it imports.
"""

from __future__ import annotations

import copyreg
import dis
import functools
import hashlib
import inspect
import marshal
import os
import sys
import types
from abc import ABCMeta
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.sources.in_memory import shown_module
from bench.sources.places import is_python_or_ours, is_somebodys
from bench.types import Json

METHODS = (staticmethod, classmethod, property, functools.cached_property)
METHOD_PARTS = ("__func__", "func", "fget", "fset", "fdel")
"""Where they hold functions."""
PLAIN = (bool, int, float, complex, str, bytes, type(None))


class Telling:
    """Tells what is behind a builder.

    Args:
        builder: A class, a function, a partial, whose own package is looked into wherever it lies;
            or any object.

    Attributes:
        json: What it is, the same in every process.
        modules: That its classes and functions are defined in, of whoever wrote it.
        libraries: Modules of installed packages that others on the way are defined in.
        not_covered: What cannot be told, for people.
    """

    def __init__(self, builder: object) -> None:
        self.modules: set[str] = set()
        self.libraries: set[str] = set()
        self.not_covered: set[str] = set()
        self._seen: dict[int, int] = {}
        self._held: list[object] = []
        first = builder
        while isinstance(first, functools.partial):
            first = first.func
        named = isinstance(first, type | types.FunctionType)
        self._top = str(first.__module__).partition(".")[0] if named else ""
        self.json = self.told(builder)

    def told(self, value: Any, name: str = "") -> Json:
        """A value as JSON; `name` is what it is called, for people."""
        kind = type(value)
        if kind in PLAIN:
            return [kind.__name__, _plain(value)]
        if kind in (tuple, frozenset):  # equal ones may be one object, or not
            return [kind.__name__, self._items(value, name)]
        if id(value) in self._seen:
            return ["as before", self._seen[id(value)]]
        self._seen[id(value)] = len(self._seen)
        self._held.append(value)  # so that no other object takes its id
        try:
            return self._contents(value, name)
        except Exception:  # of somebody's own code, or there is no telling it
            self.not_covered.add(f"the {kind.__name__} that {name or 'it'} holds")
            return None

    def _follow(self, module: str) -> bool:
        """Take note of a module; whether whoever wrote the plug-in wrote it, too."""
        found = getattr(sys.modules.get(module), "__file__", None)
        file = Path(found).resolve() if found and Path(found).is_absolute() else None
        if found and not file:  # made in memory, such as `torch.ops`
            return self._follow(module.rpartition(".")[0])
        if file and is_python_or_ours(file):
            return False
        mine = module.partition(".")[0] == self._top
        stranger = file and not is_somebodys(file)
        own = module not in sys.builtin_module_names and (mine or not stranger)
        (self.modules if own else self.libraries).add(module)
        return own

    def _contents(self, value: Any, name: str) -> Json:
        kind = type(value)
        if isinstance(value, type):
            return self._class(value)
        if value is os.environ:
            return ["environment"]
        if known := self._in_a_library(value):
            return known
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return ["method", self.told(value.__func__), self.told(value.__self__, name)]
        if isinstance(value, types.ModuleType):
            self._follow(value.__name__)
            return ["module", shown_module(value.__name__)]
        if isinstance(value, Path):
            held = hashlib.sha256(value.read_bytes()).hexdigest() if value.is_file() else None
            return ["path", value.name, held]
        if isinstance(value, METHODS):
            return [
                kind.__name__,
                *(self.told(getattr(value, part, None)) for part in METHOD_PARTS),
            ]
        if kind in (dict, list, set, types.MappingProxyType):
            return [kind.__name__, self._items(value, name)]
        if str(getattr(value, "layout", "")) == "torch.strided":
            return [kind.__qualname__, *_tensor(value), self.told(dict(vars(value)), name)]
        reduce = copyreg.dispatch_table.get(kind)
        parts = reduce(value) if reduce else value.__reduce_ex__(2)
        if isinstance(parts, str):  # a global, such as a function with a cache
            return [kind.__qualname__, parts, self.told(getattr(value, "__wrapped__", None))]
        parts = [list(part) if isinstance(part, Iterator) else part for part in parts]
        return [kind.__qualname__, *(self.told(part, name) for part in parts)]

    def _items(self, value: Any, name: str) -> Json:
        if isinstance(value, Mapping):
            return [[self.told(key), self.told(item, str(key))] for key, item in value.items()]
        told = [self.told(item, name) for item in value]
        return sorted(told, key=repr) if isinstance(value, set | frozenset) else told

    def _in_a_library(self, value: Any) -> Json:
        """Where a library has it, whose version is told; `None` for what is none of a library's."""
        module = getattr(value, "__module__", None)
        module = module or type(getattr(value, "__self__", None)).__module__
        for name in (getattr(value, "__qualname__", None), getattr(value, "__name__", None)):
            found: Any = sys.modules.get(str(module))
            for part in str(name).split("."):
                found = getattr(found, part, None)
            if found is value and not self._follow(str(module)):
                return [module, name]
        return None

    def _class(self, cls: type) -> Json:
        if not self._follow(cls.__module__):
            spec = vars(cls).get("spec")  # ours state a version in place of their sources
            return [cls.__module__, cls.__qualname__, getattr(spec, "version", None)]
        held = {name: value for name, value in vars(cls).items() if _tells(name, value)}
        kinds = () if type(cls) in (type, ABCMeta) else (type(cls),)
        return [
            cls.__qualname__,
            [self.told(base) for base in (*cls.__bases__, *kinds)],
            {name: self.told(held[name], f"{cls.__name__}.{name}") for name in sorted(held)},
        ]

    def _function(self, function: types.FunctionType) -> Json:
        code, space = function.__code__, function.__globals__
        module = str(space.get("__name__"))
        cells = [_content(cell) for cell in function.__closure__ or ()]
        told: list[Json] = [
            shown_module(module),
            function.__qualname__,
            self.told(function.__defaults__),
            self.told(function.__kwdefaults__),
            [self.told(value, name) for name, value in zip(code.co_freevars, cells, strict=True)],
            self.told(dict(vars(function)), function.__name__),
        ]
        if not self._follow(module):
            return told
        names, read, imported = _named(code)
        if "globals" in read:
            self.not_covered.add(f"what {function.__name__} finds by globals()")
        if _is_of(module, code):
            places = [place for place in code.co_positions() if None not in place]
            told.append(list(max(places, default=(code.co_firstlineno,))))
        else:  # in a notebook, or run or made by `exec`: there is no module to follow
            told.append(_text(code))
            self.libraries |= imported
        held = {name: space[name] for name in read if name in space}
        held |= {name: sys.modules[name] for name in imported if name in sys.modules}
        held = self._with_theirs(held, names)
        return [*told, {name: self.told(held[name], name) for name in sorted(held)}]

    def _with_theirs(self, held: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
        """What a function names, and what it names of modules that are somebody's own."""
        waiting, seen = list(held.items()), set()
        while waiting:
            where, module = waiting.pop()
            if not isinstance(module, types.ModuleType) or module.__name__ in seen:
                continue
            seen.add(module.__name__)
            if self._follow(module.__name__):
                space = vars(module)
                theirs = {f"{where}.{name}": space[name] for name in names if name in space}
                waiting += theirs.items()
                held = theirs | held
        return held


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    return repr(shown_module(value) if isinstance(value, str) else value)


def _tells(name: str, value: object) -> bool:
    """Whether a class attribute says something."""
    function = isinstance(value, (types.FunctionType, *METHODS))
    return function or not (name.startswith("__") or name == "_abc_impl")


def _tensor(value: Any) -> list[Json]:
    """Type, shape and digest of the numbers of a tensor that is laid out plainly."""
    held = value.detach().cpu()
    exact = held.float() if str(held.dtype) == "torch.bfloat16" else held
    numbers = hashlib.sha256(exact.numpy().tobytes()).hexdigest()
    return [str(value.dtype), list(value.shape), numbers]


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


@functools.lru_cache(maxsize=4096)
def _named(code: types.CodeType) -> tuple[frozenset[str], tuple[str, ...], frozenset[str]]:
    """All names in a code, in order those that it reads as globals, and modules it imports."""
    names, read, imported = set(code.co_names), set(), set()
    module = ""
    for one in dis.get_instructions(code):
        if one.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            read.add(str(one.argval))
        elif one.opname == "IMPORT_NAME":
            module = str(one.argval)
            imported.add(module)
        elif one.opname == "IMPORT_FROM":
            imported.add(f"{module}.{one.argval}")
    for one in code.co_consts:
        if isinstance(one, types.CodeType):
            inner = _named(one)
            names, read, imported = names | inner[0], read | set(inner[1]), imported | inner[2]
    public = frozenset(name for name in names if not name.startswith("__"))
    return public, tuple(sorted(read & public)), frozenset(imported - {""})


def _is_of(module: str, code: types.CodeType) -> bool:
    """Whether code is in the file of a module, which is hashed as a whole."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return bool(file) and os.path.realpath(str(file)) == os.path.realpath(code.co_filename)


def _text(code: types.CodeType) -> str:
    try:
        return inspect.getsource(code)
    except (OSError, TypeError):
        return hashlib.sha256(marshal.dumps(code)).hexdigest()
