from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from bench import registry as module
from bench.registry import Entry, Family, Registry, UnknownNameError


@dataclass(frozen=True)
class Spec:
    name: str


def entry(name, **more):
    return Entry(spec=Spec(name), builder=dict, **more)


def point(name, thing, own=False):
    """An installed entry point that loads `thing`, or raises it."""

    def load():
        if isinstance(thing, BaseException):
            raise thing
        return thing

    dist = SimpleNamespace(name="camobench" if own else "stranger")
    return SimpleNamespace(name=name, value=f"{name}:ENTRIES", load=load, dist=dist)


@pytest.fixture
def installed(monkeypatch):
    """The list of installed entry points, and how often it was read."""
    points, groups = [], []

    def entry_points(group):
        groups.append(group)
        return points

    monkeypatch.setattr(module, "entry_points", entry_points)
    return SimpleNamespace(points=points, groups=groups)


@pytest.fixture
def things(installed):
    return Registry("thing", "camobench.things", lambda x: x if isinstance(x, list) else [x])


def test_a_class_that_is_defined_again_replaces_itself(things):
    def cell():
        class Ant:
            pass

        return Entry(spec=Spec("ant"), builder=Ant, origin="__main__")

    for _ in range(2):
        things.add(last := cell())
    assert things.get("ant").builder is last.builder
    other = type("Bee", (), {"__module__": last.builder.__module__})
    with pytest.raises(ValueError, match="'ant' is registered already"):
        things.add(Entry(spec=Spec("ant"), builder=other, origin="__main__"))


@pytest.mark.parametrize("late", ["ant", "bee"])
def test_a_refused_sequence_leaves_nothing_behind(things, late):
    things.add(entry("ant"))
    with pytest.raises(ValueError, match=f"'{late}' is registered already, as dict, and list is"):
        things.add([entry("bee"), Entry(spec=Spec(late), builder=list)])
    assert things.names() == ["ant"]
    assert things.get("ant").builder is dict


def test_entry_points_are_read_once_at_the_first_look_up(things, installed):
    installed.points.append(point("p", [entry("ant")]))
    things.add(entry("bee"))
    assert installed.groups == []
    assert "ant" in things
    assert things.names() == ["bee", "ant"]
    assert installed.groups == ["camobench.things"]


def test_only_what_entry_points_bring_is_known_to_every_process(things, installed):
    installed.points += [point("p", [entry("ant")]), point("z", entry("bee"), own=True)]
    things.add(entry("cow"), origin="__main__")
    assert [things.is_installed(name) for name in ("ant", "bee", "cow", "dog")] == [1, 1, 0, 0]


def swarm(name):
    """Bees are made from their names."""
    if not name.startswith("bee:"):
        return None
    if not name[4:].isdigit():
        raise UnknownNameError(f"no bee {name[4:]}")
    return entry(f"bee-{name[4:]}")


def test_a_family_makes_entries_from_names_that_are_not_listed(things, installed):
    installed.points += [point("bees", Family(form="bee:N", resolve=swarm), own=True)]
    things.add(entry("ant"))
    assert things.get("bee:12").spec.name == "bee-12"
    assert things.get("ant").spec.name == "ant"
    assert things.names() == ["ant"]
    assert [family.form for family in things.families()] == ["bee:N"]
    assert [things.is_installed(name) for name in ("bee:3", "ant", "wasp")] == [1, 0, 0]
    for name, message in (("bee:queen", "no bee queen"), ("wasp", "unknown thing 'wasp'")):
        with pytest.raises(UnknownNameError, match=message):
            things.get(name)


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (RuntimeError("no such library"), r"entry point 'bad' \(bad:ENTRIES\).*no such library"),
        (SystemExit("no licence"), r"'bad' \(bad:ENTRIES\) is broken .*: no licence"),
        ([entry("cow"), entry("ant")], "'bad'.*was skipped: thing 'ant' is registered already"),
    ],
    ids=["broken", "leaving", "thief"],
)
def test_a_strangers_fault_warns_and_is_skipped(things, installed, thing, message):
    ours = Entry(spec=Spec("ant"), builder=list)
    installed.points += [
        point("bad", thing),
        point("good", entry("bee")),
        point("o", ours, own=True),
    ]
    with pytest.warns(UserWarning, match=message):
        assert things.names() == ["ant", "bee"]
    assert things.get("ant").builder is list
