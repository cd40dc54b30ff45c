"""What tells two classes apart: their names, those of all that they inherit from, what they hold.

Classes of one source text may still differ: made in a loop, by a function or by `type`. So the
values of class attributes, closures, defaults and bound arguments are told too, and of functions
whose text is in no file, such as those of a notebook, the text and what it names.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import marshal
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.sources.imports import shown_module
from bench.sources.places import installed_as, is_python_or_ours, is_somebodys
from bench.types import Json

PLAIN = (bool, int, float, complex, str, bytes, type(None))
_FUNCTIONS = (types.FunctionType, staticmethod, classmethod, property, functools.cached_property)


class Telling:
    """Tells what is behind a builder.

    Args:
        builder: A class, a function, a partial; its own package is looked into wherever it lies.

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
        module = str(getattr(first, "__module__", None) or type(first).__module__)
        self._top = module.partition(".")[0]
        self.json = self.told(builder)

    def told(self, value: Any, name: str = "") -> Json:
        """A value as JSON.

        Args:
            value: Anything.
            name: What it is called, for people.
        """
        if isinstance(value, PLAIN):
            return [type(value).__name__, repr(value)]
        if isinstance(value, tuple | frozenset):  # equal ones may be one object, or not
            return [type(value).__name__, self._contents(value, name)]
        if id(value) in self._seen:
            return ["as before", self._seen[id(value)]]
        self._seen[id(value)] = len(self._seen)
        self._held.append(value)  # so that no other object takes its id
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, functools.partial):
            return ["partial", *(self.told(v) for v in (value.func, value.args, value.keywords))]
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return ["method", self.told(value.__func__), self.told(value.__self__)]
        if isinstance(value, types.ModuleType):
            self._follow(value.__name__)
            return ["module", shown_module(value.__name__)]
        if isinstance(value, Path):
            held = hashlib.sha256(value.read_bytes()).hexdigest() if value.is_file() else None
            return ["path", value.name, held]
        return [type(value).__qualname__, self._contents(value, name)]

    def _follow(self, module: str) -> bool:
        """Take note of a module; whether whoever wrote the plug-in wrote it, too."""
        found = getattr(sys.modules.get(module), "__file__", None)
        file = Path(found).resolve() if found else None
        if file and is_python_or_ours(file):
            return False
        mine = module.partition(".")[0] == self._top
        stranger = file and (installed_as(module, file) or not is_somebodys(file))
        own = module not in sys.builtin_module_names and (mine or not stranger)
        (self.modules if own else self.libraries).add(module)
        return own

    def _contents(self, value: Any, name: str) -> Json:
        if isinstance(value, Mapping):
            return [[self.told(key), self.told(item, str(key))] for key, item in value.items()]
        if isinstance(value, list | tuple):
            return [self.told(item, name) for item in value]
        if isinstance(value, set | frozenset):
            return sorted((self.told(item, name) for item in value), key=repr)
        if isinstance(value, staticmethod | classmethod):
            return self.told(value.__func__)
        if isinstance(value, functools.cached_property):
            return self.told(value.func)
        if isinstance(value, property):
            return [self.told(part) for part in (value.fget, value.fset, value.fdel)]
        if hasattr(value, "detach") and hasattr(value, "shape"):
            kind, value = str(value.dtype), value.detach().cpu()
            value = (value.float() if kind == "torch.bfloat16" else value).numpy()  # is exact
        if hasattr(value, "tobytes") and hasattr(value, "dtype") and not value.dtype.hasobject:
            held = hashlib.sha256(value.tobytes()).hexdigest()
            return [str(value.dtype), [int(side) for side in value.shape], held]
        if vars_of := getattr(value, "__dict__", None):
            return [self.told(type(value)), self.told(dict(vars_of), name)]
        shown = repr(value)
        if " at 0x" in shown:
            self.not_covered.add(f"the {type(value).__name__} that {name or 'it'} holds")
            return None
        return shown

    def _class(self, cls: type) -> Json:
        if not self._follow(cls.__module__):
            spec = vars(cls).get("spec")  # ours state a version in place of their sources
            return [cls.__module__, cls.__qualname__, getattr(spec, "version", None)]
        held = {name: value for name, value in vars(cls).items() if _tells(name, value)}
        return [
            cls.__qualname__,
            [self.told(base) for base in cls.__bases__],
            {name: self.told(held[name], f"{cls.__name__}.{name}") for name in sorted(held)},
        ]

    def _function(self, function: types.FunctionType) -> Json:
        code, space = function.__code__, function.__globals__
        cells = [_content(cell) for cell in function.__closure__ or ()]
        told: list[Json] = [
            function.__qualname__,
            self.told(function.__defaults__),
            self.told(function.__kwdefaults__),
            [self.told(value, name) for name, value in zip(code.co_freevars, cells, strict=True)],
        ]
        if not self._follow(str(space.get("__name__"))):
            return told
        named = {name: space[name] for name in sorted(_names(code)) if name in space}
        if Path(code.co_filename).is_file():
            places = [place for place in code.co_positions() if None not in place]
            told.append(list(max(places, default=(code.co_firstlineno,))))
            named = {name: value for name, value in named.items() if _is_plain(value)}
        else:  # in a notebook, or made by `exec`: there is no module to follow
            told.append(_text(code))
        return [*told, {name: self.told(value, name) for name, value in named.items()}]


def _tells(name: str, value: object) -> bool:
    """Whether a class attribute says something; what is private may be a cache, unless plain."""
    if isinstance(value, _FUNCTIONS):
        return True
    if name.startswith("__"):
        return False
    return _is_plain(value) and value is not None if name.startswith("_") else True


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return isinstance(value, PLAIN)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _names(code: types.CodeType) -> set[str]:
    inner = (one for one in code.co_consts if isinstance(one, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _text(code: types.CodeType) -> str:
    try:
        return inspect.getsource(code)
    except (OSError, TypeError):
        return hashlib.sha256(marshal.dumps(code)).hexdigest()
