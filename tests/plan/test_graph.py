import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from attacks.cgan.recipe import cgan_recipe
from attacks.specs import SPECS
from bench.contract import ATTACKS, VICTIMS, Traits
from bench.plan.graph import plan
from bench.plan.names.selection import select_victims
from bench.recipes import MINI, PAPER, SMOKE
from bench.registry import Deferred
from bench.store import write_json
from bench.suites.catalogue import load_suite
from bench.types import CamobenchError
from tests.smoke import ToySource
from tests.toys import CLASSES, pretrained

CARD = ToySource().card


def planned(attacks=("mislgan",), victims=("wdf-resnet12",), suite=CARD, recipe=SMOKE, seed=0):
    return plan(suite, recipe, attacks=attacks, victims=victims, seed=seed)


def keys(graph):
    return {
        "victims": dict(graph.victims),
        "attacks": dict(graph.attacks),
        "surrogates": dict(graph.surrogates),
        "estimators": dict(graph.estimators),
        "jobs": [(job.key, job.seed, list(job.needs)) for job in graph.jobs.values()],
    }


ASK = """
import json
from tests.plan.test_graph import keys, planned
print(json.dumps(keys(planned(attacks=["cgan-img-wdf-pef", "jpeg"]))))
"""


KEYS = Path(__file__).parents[1] / "keys.json"
SHIPPED_ATTACKS = (*(spec.name for spec in SPECS), "cama", "spoc", "siamte")


def shipped_keys():
    """Of the trainings behind the shipped networks; `python -m tests.plan.test_graph` notes them.

    They change where a recipe, a version or the suite does, and the networks are trained anew.
    """
    suite = load_suite("simcam-mini-v2").card
    graph = plan(suite, MINI, attacks=SHIPPED_ATTACKS, victims=select_victims("all"))
    return {job.label: job.key for job in graph.jobs.values()}


def test_shipped_networks_keep_their_keys_and_none_is_built_to_know_them(monkeypatch):
    monkeypatch.setattr(Deferred, "__call__", None)
    assert shipped_keys() == json.loads(KEYS.read_text(encoding="utf-8"))


def test_a_plug_in_is_built_once_for_its_key(register, monkeypatch):
    made, entry = [], pretrained("counted", CLASSES)

    def build(*arguments, **options):
        made.append(arguments)
        return entry.builder(*arguments, **options)

    register(replace(entry, builder=build))
    with_spec(ATTACKS, "mislgan", monkeypatch, surrogates=("counted",))
    assert "counted" in planned(victims=["counted"]).surrogates
    assert len(made) == 1


def test_keys_are_the_same_in_another_process():
    here = keys(planned(attacks=["cgan-img-wdf-pef", "jpeg"]))
    environment = os.environ | {"PYTHONHASHSEED": "4711"}
    done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True)
    assert json.loads(done.stdout) == json.loads(json.dumps(here)), done.stderr.decode()


def with_spec(registry, name, monkeypatch, **changes):
    entry = registry.get(name)
    spec = replace(entry.spec, **changes)
    monkeypatch.setitem(registry._entries, name, replace(entry, spec=spec))


def all_keys(graph):
    """The keys of both sides and of all that they need, by what they are."""
    return {
        "victim": graph.victims["wdf-resnet12"],
        "attack": graph.attacks["mislgan"],
        "surrogate": graph.surrogates["pef-resnet18"],
        "estimator": graph.estimators["A"],
    }


def changed(before, after):
    assert before.keys() == after.keys()
    return {name for name in before if before[name] != after[name]}


EVERYTHING = {"victim", "attack", "surrogate", "estimator"}


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": replace(SMOKE, name="other"), "attacks": ()},
        {"recipe": replace(SMOKE, compact=False)},
        {"recipe": PAPER},
        {"seed": 1},
        {"suite": ToySource(fingerprint="e" * 64).card},
    ],
    ids=["name of the recipe", "rounding", "recipe", "seed", "suite"],
)
def test_what_shapes_all_networks_changes_every_key(change):
    if "attacks" in change:  # the cGAN has no recipe of that name
        before, after = planned(attacks=()), planned(**change)
        assert not set(before.jobs) & set(after.jobs)
    else:
        assert changed(all_keys(planned()), all_keys(planned(**change))) == EVERYTHING
        assert not set(planned().jobs) & set(planned(**change).jobs)


def test_a_seed_of_the_attacks_is_that_of_set_b_alone():
    card, recipe = CARD, SMOKE
    asked = {"attacks": ("cgan-wdf",), "victims": ("wdf-resnet12",)}
    plain, one = plan(card, recipe, **asked), plan(card, recipe, **asked, attack_seed=1)
    whole = plan(card, recipe, **asked, seed=1)
    assert one.victims == plain.victims
    assert one.attacks == whole.attacks != plain.attacks
    assert one.surrogates == whole.surrogates
    assert one.estimators == {"A": plain.estimators["A"], "B": whole.estimators["B"]}


@pytest.mark.parametrize(
    ("registry", "name", "kinds"),
    [
        (VICTIMS, "wdf-resnet12", {"victim"}),
        (VICTIMS, "pef-resnet18", {"surrogate", "attack"}),
        (ATTACKS, "mislgan", {"attack"}),
    ],
    ids=["victim", "surrogate", "attack"],
)
def test_a_version_changes_its_key_and_those_that_need_it(registry, name, kinds, monkeypatch):
    before = all_keys(planned())
    with_spec(registry, name, monkeypatch, version=2)
    assert changed(before, all_keys(planned())) == kinds


def test_a_description_changes_no_key(monkeypatch):
    before = keys(planned())
    assert keys(planned(suite=replace(CARD, note="split by image"))) == before
    with_spec(ATTACKS, "mislgan", monkeypatch, paper="else", licence="else", label="else")
    with_spec(VICTIMS, "wdf-resnet12", monkeypatch, paper="else", licence="else")
    assert keys(planned()) == before


def test_hyper_parameters_change_the_keys_of_those_that_have_them(monkeypatch):
    before = all_keys(planned())
    resnet = replace(SMOKE.classifiers["resnet"], lr=0.01)
    slower = replace(SMOKE, classifiers={**SMOKE.classifiers, "resnet": resnet})
    assert changed(before, all_keys(planned(recipe=slower))) == {"victim", "surrogate", "attack"}
    densenet = replace(SMOKE.classifiers["densenet"], lr=0.01)
    other = replace(SMOKE, classifiers={**SMOKE.classifiers, "densenet": densenet})
    assert changed(before, all_keys(planned(recipe=other))) == set()
    estimator = replace(SMOKE, estimator=replace(SMOKE.estimator, lr=0.5))
    assert changed(before, all_keys(planned(recipe=estimator))) == {"estimator"}
    monkeypatch.setattr(
        "attacks.specs.cgan_recipe", lambda *given: replace(cgan_recipe(*given), lambda_aux=9.0)
    )
    assert changed(before, all_keys(planned())) == {"attack"}


def test_untrained_attacks_have_a_key_of_their_hyper_parameters(monkeypatch):
    before, entry = planned(attacks=["gaussian-blur"]), ATTACKS.get("gaussian-blur")
    assert before.attacks["gaussian-blur"] not in before.jobs
    wider = replace(entry, traits=lambda recipe: Traits(hyperparameters={"sigma_px": 2.0}))
    monkeypatch.setitem(ATTACKS._entries, "gaussian-blur", wider)
    assert planned(attacks=["gaussian-blur"]).attacks != before.attacks


def test_attacks_share_their_local_classifiers_and_estimator():
    graph = planned(attacks=["cgan-img-wdf-pef", "cgan-wdf", "cgan-img-wdf", "mislgan"])
    kinds = [(job.kind, job.name, job.set_name) for job in graph.jobs.values()]
    assert sorted(kinds) == [
        ("attack", "cgan-img-wdf", "B"),
        ("attack", "cgan-img-wdf-pef", "B"),
        ("attack", "cgan-wdf", "B"),
        ("attack", "mislgan", "B"),
        ("estimator", "wdf-v1", "A"),
        ("estimator", "wdf-v1", "B"),
        ("surrogate", "img-resnet18", "B"),
        ("surrogate", "pef-resnet18", "B"),
        ("surrogate", "wdf-resnet18", "B"),
        ("victim", "wdf-resnet12", "A"),
    ]
    assert len({job.seed for job in graph.jobs.values()}) == len(graph.jobs)


def test_an_attack_needs_its_local_classifiers_and_nothing_of_set_a():
    graph = planned(attacks=["cgan-img-wdf", "mislgan"], victims=VICTIMS.names())
    for name, needed in {
        "cgan-img-wdf": {("surrogate", "img-resnet18"), ("surrogate", "wdf-resnet18")},
        "mislgan": {("surrogate", "pef-resnet18")},
    }.items():
        needs = [graph.jobs[key] for key in graph.jobs[graph.attacks[name]].needs]
        if name == "cgan-img-wdf":
            needed = needed | {("estimator", "wdf-v1")}
        assert {(job.kind, job.name) for job in needs} == needed
        assert {job.set_name for job in needs} == {"B"}
    for job in graph.jobs.values():
        if job.kind == "victim":
            assert job.set_name == ("D" if VICTIMS.get(job.name).spec.more_models else "A")
        if job.set_name != "B":
            assert job.kind in ("victim", "estimator")
            assert job.needs == () or VICTIMS.get(job.name).spec.aware_of


def test_a_victim_and_a_surrogate_of_one_name_are_two_networks():
    graph = planned(attacks=["cgan-img"], victims=["img-resnet18"])
    assert graph.victims["img-resnet18"] != graph.surrogates["img-resnet18"]
    jobs = [job for job in graph.jobs.values() if job.name == "img-resnet18"]
    assert {(job.kind, job.set_name) for job in jobs} == {("victim", "A"), ("surrogate", "B")}
    assert len({job.label for job in jobs}) == 2


def test_estimators_are_there_only_where_a_residual_is_read():
    assert not planned(attacks=["cgan-img"], victims=["pef-resnet12"]).estimators
    assert set(planned(attacks=["cgan-wdf"], victims=["pef-resnet12"]).estimators) == {"B"}
    assert set(planned(attacks=["jpeg"], victims=["wdf-resnet12"]).estimators) == {"A"}


@pytest.fixture
def register(monkeypatch):
    """Puts entries into the registry of victims for one test."""
    VICTIMS.names()
    monkeypatch.setattr(VICTIMS, "_entries", dict(VICTIMS._entries))
    return VICTIMS.add


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("spam-svm", "no gradient passes"),
        ("shuffled", ".* its own are cam-c"),
        ("img-resnet18-aware", "it is trained on images of attacks"),
    ],
)
def test_what_cannot_teach_an_attack_is_refused(register, monkeypatch, name, reason):
    register(pretrained("shuffled", tuple(reversed(CLASSES))))
    with_spec(ATTACKS, "mislgan", monkeypatch, surrogates=(name,))
    with pytest.raises(CamobenchError, match=f"{name} cannot be a surrogate: {reason}"):
        planned()


@pytest.mark.parametrize("known", [("cam-a", "other-x"), ("other-x",), (0, 1, 2)])
def test_a_victim_that_does_not_know_the_suites_classes_is_refused(register, known):
    register(pretrained("elsewhere", known))
    unknown = ", ".join(name for name in CLASSES if name not in known)
    told = ", ".join(map(str, known))
    message = f"does not know the suite's {unknown}: its classes are {told}; train"
    with pytest.raises(CamobenchError, match=message):
        planned(victims=["img-resnet12", "elsewhere"])


def test_a_victim_may_know_more_and_in_another_order(register):
    known = ("other-x", *reversed(CLASSES))
    register(pretrained("worldly", known))
    graph = planned(victims=["worldly", "img-resnet12"], attacks=["jpeg"])
    assert graph.classes == {"worldly": known, "img-resnet12": CLASSES}


def test_a_class_stated_twice_is_refused(register):
    register(pretrained("double", (*CLASSES, "cam-a")))
    with pytest.raises(CamobenchError, match="victim double states a class twice: cam-a, cam-b, c"):
        planned(victims=["double"])


if __name__ == "__main__":
    write_json(KEYS, shipped_keys())
