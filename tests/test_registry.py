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
        if isinstance(thing, Exception):
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


def test_a_name_is_given_once(things):
    first = entry("ant")
    things.add(first)
    with pytest.raises(ValueError, match="'ant' is registered already, as dict, and list is"):
        things.add(Entry(spec=Spec("ant"), builder=list))
    assert things.get("ant").builder is dict


@pytest.mark.parametrize("late", ["ant", "bee"])
def test_a_refused_sequence_leaves_nothing_behind(things, late):
    things.add(entry("ant"))
    with pytest.raises(ValueError, match=f"'{late}' is registered already"):
        things.add([entry("bee"), entry(late)])
    assert things.names() == ["ant"]


def test_unknown_names_list_close_ones(things):
    things.add([entry("wdf-resnet18"), entry("pef-resnet18"), entry("other")])
    with pytest.raises(UnknownNameError, match=r"unknown thing 'wdf-resnet81': did you mean wdf-"):
        things.get("wdf-resnet81")
    with pytest.raises(
        UnknownNameError, match=r"nothing registered is close.*`camobench list thin"
    ):
        things.get("qqq")


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


def test_a_broken_stranger_warns_and_is_skipped(things, installed):
    installed.points += [
        point("bad", RuntimeError("no such library")),
        point("good", entry("ant")),
        point("ours", entry("bee"), own=True),
    ]
    with pytest.warns(UserWarning, match=r"thing entry point 'bad' \(bad:ENTRIES\).*no such libra"):
        assert things.names() == ["bee", "ant"]


def test_a_stranger_cannot_take_a_name_of_ours(things, installed):
    installed.points += [
        point("ours", entry("ant"), own=True),
        point("thief", [entry("bee"), Entry(spec=Spec("ant"), builder=list)]),
    ]
    with pytest.warns(UserWarning, match="'thief'.*was skipped: thing 'ant' is registered already"):
        assert things.names() == ["ant"]
    assert things.get("ant").builder is dict


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


def test_a_family_says_what_it_does_not_have(things, installed):
    installed.points += [point("bees", Family(form="bee:N", resolve=swarm), own=True)]
    with pytest.raises(UnknownNameError, match="no bee queen"):
        things.get("bee:queen")
    with pytest.raises(UnknownNameError, match="unknown thing 'wasp'"):
        things.get("wasp")
