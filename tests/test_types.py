import enum
import json
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from bench.types import SILENT_DEFAULT, as_json


class Colour(enum.Enum):
    RED = "r"


@dataclass(frozen=True)
class Inner:
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Outer:
    inner: Inner
    colour: Colour
    named: MappingProxyType


def test_nested_values_become_plain_json():
    value = Outer(Inner((np.int64(3), 1)), Colour.RED, MappingProxyType({2: None, "x": {"b", "a"}}))
    plain = {"inner": {"sizes": [3, 1]}, "colour": "r", "named": {"2": None, "x": ["a", "b"]}}
    assert as_json(value) == plain
    assert json.loads(json.dumps(as_json(value))) == plain


@dataclass(frozen=True)
class Grown:
    old: int = 1
    new: str = field(default="off", metadata=SILENT_DEFAULT)


def test_a_silent_default_leaves_no_trace_in_json():
    assert as_json(Grown()) == {"old": 1}
    assert as_json(Grown(new="on")) == {"old": 1, "new": "on"}


@pytest.mark.parametrize(
    "value", [Path("a"), np.arange(3), np.longdouble(1), object(), b"a", Inner, lambda: 0]
)
def test_what_has_no_json_form_is_refused(value):
    with pytest.raises(TypeError, match=f"no JSON form for {type(value).__name__}"):
        as_json({"deep": [value]})
