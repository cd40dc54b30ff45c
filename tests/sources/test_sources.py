"""Two classes have one digest only if they are one."""

import functools
import importlib.util
import runpy
import textwrap
import threading

import numpy as np
import pytest
import torch

from attacks.controls import Jpeg
from bench.sources import makeup_of


def digest(builder):
    return makeup_of(builder).sha256


class Weak:
    """Stands for an attack."""

    strength = 1.0

    def transform(self, images):
        return images + self.strength


class Strong(Weak):
    strength = 40.0


class Squared(Weak):
    def transform(self, images):
        return images**2


def made(strength):
    class Made(Weak):
        def transform(self, images):
            return images + strength

    return Made


def typed(**held):
    return type("Typed", (Weak,), held)


def defaulted(scale):
    def transform(self, images, scale=scale):
        return scale * images

    return typed(transform=transform)


def net(weight):
    made = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(made.weight, weight)
    return made


def privately(k):
    return typed(_kernel=torch.full((3,), k), _steps=[k])


def objects(middle):
    return np.array([*range(1000), middle, *range(1000)], dtype=object)


def listed(scale):
    made = Listed([1])
    made.scale = scale
    return made


class Listed(list):
    pass


class Slotted:
    __slots__ = ("k",)

    def __init__(self, k):
        self.k = k

    def __repr__(self):
        return "Slotted"


@functools.lru_cache
def cached(x):
    return x * STEP


STEP = 1.0
SETTINGS = {"k": 1}
WEIGHTS = torch.ones(3)


def half(x):
    return x / 2


def helped(x):
    from tests.sources import helper

    return cached(helper.K * half(x) * SETTINGS["k"] * WEIGHTS)


def build(spec, *, classes, recipe, strength=1.0):
    return STEP * strength


PAIRS = {
    "a subclass that changes an attribute": (Weak, Strong),
    "a subclass that changes a method": (Weak, Squared),
    "a subclass that changes nothing": (Weak, type("Weak", (Weak,), {})),
    "made by a function": (made(1), made(2)),
    "made in a loop": tuple(typed(strength=s) for s in (1, 2)),
    "an integer and a float": (typed(strength=1), typed(strength=1.0)),
    "other weights": tuple(typed(kernel=torch.tensor([w])) for w in (0.1, 0.2)),
    "other networks": tuple(typed(net=net(w)) for w in (0.1, 0.2)),
    "other arrays": tuple(typed(kernel=np.array([w])) for w in (0.1, 0.2)),
    "other private values": tuple(privately(k) for k in (1, 2)),
    "other object arrays": tuple(typed(kernel=objects(k)) for k in (1, 2)),
    "other slots": tuple(typed(part=Slotted(k)) for k in (1, 2)),
    "a list with other attributes": tuple(typed(part=listed(k)) for k in (1, 2)),
    "other sparse tensors": tuple(typed(kernel=torch.tensor([0.0, k]).to_sparse()) for k in (1, 2)),
    "other masks": tuple(typed(kernel=np.ma.array([1, 2], mask=[0, m])) for m in (0, 1)),
    "other shapes": tuple(typed(kernel=np.zeros(s)) for s in ((1, 4), (2, 2))),
    "other defaults": (defaulted(1), defaulted(2)),
    "other methods of one line": (typed(f=lambda s: 1), typed(f=lambda s: 2)),
    "another name": (type("A", (Weak,), {}), type("B", (Weak,), {})),
    "another base": (type("A", (Weak,), {}), type("A", (Strong,), {})),
    "other bound arguments": tuple(functools.partial(build, strength=s) for s in (1, 2)),
    "a function and its partial": (build, functools.partial(build, strength=1)),
    "a built-in and its subclass": (Jpeg, type("Jpeg", (Jpeg,), {})),
    "subclasses of built-ins": tuple(type("Mine", (Jpeg,), {"quality": q}) for q in (1, 2)),
    "nested values": tuple(typed(settings={"a": [1, {"b": b}]}) for b in (1, 2)),
}


@pytest.mark.parametrize("what", PAIRS)
def test_another_class_is_another_digest(what):
    one, other = PAIRS[what]
    assert digest(one) != digest(other)


def test_what_is_made_again_alike_is_the_same():
    for make in (
        lambda: made(1),
        lambda: typed(kernel=torch.ones(3)),
        lambda: functools.partial(build, strength=2),
    ):
        assert digest(make()) == digest(make())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STEP", 2.0),  # named by a function with a cache
        ("SETTINGS", {"k": 2}),
        ("WEIGHTS", torch.zeros(3)),
        ("half", lambda x: x / 3),
        ("cached", half),
        ("helper.K", 0.5),
    ],
)
def test_what_functions_name_counts_by_its_value_in_memory(monkeypatch, name, value):
    before = digest(helped)
    assert not makeup_of(helped).untold
    monkeypatch.setattr(f"tests.sources.{'' if '.' in name else 'test_sources.'}{name}", value)
    assert digest(helped) != before


def test_what_libraries_give_counts_by_its_name(monkeypatch):
    import logging
    import os
    import random

    class Noisy(Weak):
        log = logging.getLogger("noisy")
        draw = staticmethod(random.random)
        environment = os.environ
        norm = staticmethod(np.linalg.norm)
        nearest = torch.nn.functional.interpolate
        add = np.add
        operators = torch.ops

    before = digest(Noisy)
    assert not makeup_of(Noisy).untold
    random.random()  # noqa: S311
    monkeypatch.setenv("CAMOBENCH_NOISE", "1")
    assert digest(Noisy) == before


def test_a_circle_ends_and_what_cannot_be_told_is_named():
    one = typed(friends=[], sign=threading.Lock())
    one.friends.append(one)
    assert "the lock that Typed.sign holds" in makeup_of(one).not_covered


def test_a_class_without_a_file_counts_by_its_text_and_what_it_names():
    def cell(text, **space):
        import linecache

        name = f"/nowhere/ipykernel_1/{abs(hash(text))}.py"
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
        space |= {"__name__": "a-notebook", "Weak": Weak}
        exec(compile(textwrap.dedent(text), name, "exec"), space)  # noqa: S102
        return space["Typed"]

    text = "class Typed(Weak):\n    def transform(self, images):\n        return SCALE * images\n"
    first = digest(cell(text, SCALE=1))
    assert digest(cell(f"# again\n{text}", SCALE=1)) == first
    assert digest(cell(text, SCALE=2)) != first
    assert digest(cell(text.replace("*", "+"), SCALE=1)) != first


def test_a_class_of_a_file_that_is_no_module_counts_by_its_text(tmp_path):
    path, found = tmp_path / "loose.py", []
    for text in ("0.98 * images", "0.30 * images"):
        path.write_text(f"class Typed:\n    def transform(self, images):\n        return {text}\n")
        found.append(digest(runpy.run_path(str(path), run_name="loose")["Typed"]))
        spec = importlib.util.spec_from_file_location("loose", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found.append(digest(module.Typed))
    assert found[0] == found[1] != found[2] == found[3]


def test_a_metaclass_counts_and_what_globals_gives_is_named():
    def made(strength):
        class Kind(type):
            gain = property(lambda cls: strength)

        class Made(Weak, metaclass=Kind):
            def transform(self, images):
                return type(self).gain * globals()["KNOB"] * images

        return Made

    assert digest(made(1)) == digest(made(1)) != digest(made(2))
    assert "what transform finds by globals()" in makeup_of(made(1)).not_covered


def test_what_code_without_a_file_imports_counts(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    space = {"__name__": "__main__", "Weak": Weak}
    lines = "class Typed(Weak):\n    def transform(self, x):\n        from myhelp import K\n"
    exec(f"{lines}        import scipy.fft\n", space)  # noqa: S102
    digests = set()
    for text in ("K = 1\n", "K = 2\n"):
        (tmp_path / "myhelp.py").write_text(text)
        digests.add(digest(space["Typed"]))
    assert len(digests) == 2
    makeup = makeup_of(space["Typed"])
    assert "myhelp" in makeup.files
    assert not any(name.startswith("scipy") for name in makeup.files)
    assert "scipy" in makeup.distributions
