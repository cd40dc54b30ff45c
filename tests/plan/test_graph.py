import json
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
KEYS = Path(__file__).parents[1] / "keys.json"
SHIPPED_ATTACKS = (*(spec.name for spec in SPECS), "cama", "spoc", "siamte")


def planned(attacks=("mislgan",), victims=("wdf-resnet12",), suite=CARD, recipe=SMOKE, **more):
    return plan(suite, recipe, attacks=attacks, victims=victims, **more)


def shipped_keys():
    """Of the trainings behind the shipped networks; `python -m tests.plan.test_graph` notes them.

    They change where a recipe, a version or the suite does, and the networks are trained anew.
    """
    suite = load_suite("simcam-mini-v2").card
    graph = planned(SHIPPED_ATTACKS, select_victims("all"), suite, MINI)
    return {job.label: job.key for job in graph.jobs.values()}


def test_shipped_networks_keep_their_keys_and_none_is_built_to_know_them(monkeypatch):
    monkeypatch.setattr(Deferred, "__call__", None)
    assert shipped_keys() == json.loads(KEYS.read_text(encoding="utf-8"))


@pytest.fixture
def register(own_registries):
    """Puts entries into the registry of victims for one test."""
    return VICTIMS.add


@pytest.fixture
def respell(own_registries):
    """Changes the spec of something that is registered, for one test."""

    def change(registry, name, **changes):
        entry = registry.get(name)
        registry._entries[name] = replace(entry, spec=replace(entry.spec, **changes))

    return change


def test_a_plug_in_is_built_once_for_its_key(register, respell):
    made, entry = [], pretrained("counted", CLASSES)

    def build(*arguments, **options):
        made.append(arguments)
        return entry.builder(*arguments, **options)

    register(replace(entry, builder=build))
    respell(ATTACKS, "mislgan", surrogates=("counted",))
    assert "counted" in planned(victims=["counted"]).surrogates
    assert len(made) == 1


def all_keys(graph):
    """The keys of both sides and of all that they need, by what they are."""
    return {
        "victim": graph.victims["wdf-resnet12"],
        "attack": graph.attacks["mislgan"],
        "surrogate": graph.surrogates["pef-resnet18"],
        "estimator": graph.estimators["A"],
    }


def changed(before, after):
    return {name for name in before if before[name] != after[name]}


def with_classifier(name):
    classifier = replace(SMOKE.classifiers[name], lr=0.01)
    return {"recipe": replace(SMOKE, classifiers={**SMOKE.classifiers, name: classifier})}


EVERYTHING = {"victim", "attack", "surrogate", "estimator"}


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ({"recipe": replace(SMOKE, compact=False)}, EVERYTHING),
        ({"recipe": PAPER}, EVERYTHING),
        ({"seed": 1}, EVERYTHING),
        ({"attack_seed": 1}, {"surrogate", "attack"}),
        ({"suite": ToySource(fingerprint="e" * 64).card}, EVERYTHING),
        ({"suite": replace(CARD, note="split by image")}, set()),
        (with_classifier("resnet"), {"victim", "surrogate", "attack"}),
        (with_classifier("densenet"), set()),
        ({"recipe": replace(SMOKE, estimator=replace(SMOKE.estimator, lr=0.5))}, {"estimator"}),
    ],
    ids=lambda value: ",".join(sorted(value)) or None,
)
def test_what_shapes_networks_changes_their_keys(change, kinds):
    assert changed(all_keys(planned()), all_keys(planned(**change))) == kinds


def test_an_attack_seed_gives_the_networks_of_set_b_of_that_seed():
    asked = {"attacks": ("cgan-wdf",), "victims": ("wdf-resnet12",)}
    plain, one, whole = planned(**asked), planned(**asked, attack_seed=1), planned(**asked, seed=1)
    assert one.attacks == whole.attacks != plain.attacks
    assert one.surrogates == whole.surrogates
    assert one.estimators == {"A": plain.estimators["A"], "B": whole.estimators["B"]}


@pytest.mark.parametrize(
    ("registry", "name", "changes", "kinds"),
    [
        (VICTIMS, "wdf-resnet12", {"version": 2}, {"victim"}),
        (VICTIMS, "pef-resnet18", {"version": 2}, {"surrogate", "attack"}),
        (ATTACKS, "mislgan", {"version": 2}, {"attack"}),
        (ATTACKS, "mislgan", {"paper": "else", "licence": "else", "label": "else"}, set()),
        (VICTIMS, "wdf-resnet12", {"paper": "else", "licence": "else"}, set()),
    ],
)
def test_a_version_changes_keys_and_a_description_none(registry, name, changes, kinds, respell):
    before = all_keys(planned())
    respell(registry, name, **changes)
    assert changed(before, all_keys(planned())) == kinds


def test_hyper_parameters_of_an_attack_change_its_key(monkeypatch):
    before, blur = all_keys(planned()), planned(attacks=["gaussian-blur"]).attacks
    monkeypatch.setattr(
        "attacks.specs.cgan_recipe", lambda *given: replace(cgan_recipe(*given), lambda_aux=9.0)
    )
    assert changed(before, all_keys(planned())) == {"attack"}
    wider = replace(
        ATTACKS.get("gaussian-blur"), traits=lambda recipe: Traits(hyperparameters={"sigma_px": 2})
    )
    monkeypatch.setitem(ATTACKS._entries, "gaussian-blur", wider)
    assert planned(attacks=["gaussian-blur"]).attacks != blur


def test_attacks_share_their_local_classifiers_and_estimator():
    graph = planned(attacks=["cgan-img-wdf-pef", "cgan-wdf", "jpeg"], victims=["wdf-resnet18"])
    assert sorted((job.kind, job.name, job.set_name) for job in graph.jobs.values()) == [
        ("attack", "cgan-img-wdf-pef", "B"),
        ("attack", "cgan-wdf", "B"),
        ("estimator", "wdf-v1", "A"),
        ("estimator", "wdf-v1", "B"),
        ("surrogate", "img-resnet18", "B"),
        ("surrogate", "pef-resnet18", "B"),
        ("surrogate", "wdf-resnet18", "B"),
        ("victim", "wdf-resnet18", "A"),
    ]
    assert len({job.seed for job in graph.jobs.values()}) == len(graph.jobs)
    assert not planned(attacks=["cgan-img"], victims=["pef-resnet12"]).estimators
    assert set(planned(attacks=["cgan-wdf"], victims=["pef-resnet12"]).estimators) == {"B"}


def test_an_attack_needs_its_local_classifiers_and_nothing_of_set_a():
    graph = planned(attacks=["cgan-img-wdf", "mislgan"], victims=VICTIMS.names())
    for name, needed in {
        "cgan-img-wdf": {"img-resnet18", "wdf-resnet18", "wdf-v1"},
        "mislgan": {"pef-resnet18"},
    }.items():
        needs = [graph.jobs[key] for key in graph.jobs[graph.attacks[name]].needs]
        assert {job.name for job in needs} == needed
        assert {job.set_name for job in needs} == {"B"}
    for job in graph.jobs.values():
        if job.kind == "victim":
            assert job.set_name == ("D" if VICTIMS.get(job.name).spec.more_models else "A")
        if job.set_name != "B":
            assert job.kind in ("victim", "estimator")
            assert job.needs == () or VICTIMS.get(job.name).spec.aware_of


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("spam-svm", "no gradient passes"),
        ("shuffled", ".* its own are cam-c"),
        ("img-resnet18-aware", "it is trained on images of attacks"),
        ("wdf-resnet18-more-models", "Set-B has no photographs of the further models"),
    ],
)
def test_what_cannot_teach_an_attack_is_refused(register, respell, name, reason):
    register(pretrained("shuffled", tuple(reversed(CLASSES))))
    respell(ATTACKS, "mislgan", surrogates=(name,))
    with pytest.raises(CamobenchError, match=f"{name} cannot be a surrogate: {reason}"):
        planned()


@pytest.mark.parametrize(
    ("known", "message"),
    [
        (("cam-a", "other-x"), "know the suite's cam-b, cam-c: its classes are cam-a, other-x"),
        ((0, 1, 2), "know the suite's cam-a, cam-b, cam-c: its classes are 0, 1, 2"),
        ((*CLASSES, "cam-a"), "victim elsewhere states a class twice: cam-a, cam-b, c"),
    ],
)
def test_a_victim_with_other_classes_is_refused(register, known, message):
    register(pretrained("elsewhere", known))
    with pytest.raises(CamobenchError, match=message):
        planned(victims=["img-resnet12", "elsewhere"])


def test_a_victim_may_know_more_and_in_another_order(register):
    known = ("other-x", *reversed(CLASSES))
    register(pretrained("worldly", known))
    graph = planned(victims=["worldly", "img-resnet12"], attacks=["jpeg"])
    assert graph.classes == {"worldly": known, "img-resnet12": CLASSES}


if __name__ == "__main__":
    write_json(KEYS, shipped_keys())
