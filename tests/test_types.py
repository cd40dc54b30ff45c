import enum
import json
from dataclasses import FrozenInstanceError, dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from bench.types import SILENT_DEFAULT, CamobenchError, FitReport, Silent, as_json


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
    value = Outer(Inner((3, 1)), Colour.RED, MappingProxyType({2: None, "x": {"b", "a"}}))
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


@pytest.mark.parametrize("value", [None, True, 3, 0.1, "text", [], {}])
def test_plain_values_stay_as_they_are(value):
    assert as_json(value) == value
    assert type(as_json(value)) is type(value)


def test_order_of_sequences_stays_and_of_sets_does_not_matter():
    assert as_json((2, 1)) == [2, 1]
    assert as_json({"b", "a", "c"}) == as_json(frozenset("cab")) == ["a", "b", "c"]


@pytest.mark.parametrize("value", [Path("a"), np.int64(3), object(), b"a", Inner, lambda: 0])
def test_what_has_no_json_form_is_refused(value):
    with pytest.raises(TypeError, match=f"no JSON form for {type(value).__name__}"):
        as_json({"deep": [value]})


def test_silent_progress_says_nothing(capsys):
    progress = Silent()
    progress.start("label", 3)
    progress.advance(2, loss=1.0)
    progress.finish()
    assert progress.fork() is progress
    assert capsys.readouterr() == ("", "")


def test_fit_report_is_frozen_and_empty_by_default():
    report = FitReport()
    assert (dict(report.figures), dict(report.curves), report.seconds) == ({}, {}, 0.0)
    with pytest.raises(FrozenInstanceError):
        report.seconds = 1.0


def test_errors_of_the_user_are_no_programming_errors():
    assert issubclass(CamobenchError, Exception)
    assert not issubclass(CamobenchError, ValueError | TypeError | LookupError)
