from dataclasses import FrozenInstanceError, asdict

import pytest

from bench.recipes import MINI, PAPER, RECIPES, ClassifierRecipe, EstimatorRecipe, get_recipe
from bench.types import CamobenchError, as_json

SGD = {
    "lr": 0.1,
    "momentum": 0.9,
    "weight_decay": 5e-4,
    "schedule": "step",
    "width": 1.0,
    "precision": "fp32",
}


def test_paper_trains_classifiers_as_the_paper_does():
    """The numbers, and with them the keys of its networks."""
    assert {name: as_json(recipe) for name, recipe in PAPER.classifiers.items()} == {
        "resnet": {**SGD, "batch": 128, "epochs": 30, "steps": None},
        "densenet": {**SGD, "batch": 64, "epochs": 90, "steps": None},
    }


def test_paper_trains_the_residual_estimator_as_the_paper_does():
    budget = asdict(PAPER.estimator)
    assert (budget["epochs"], budget["steps"], budget["batch"]) == (30, None, 128)
    assert (budget["lr"], budget["weight_decay"], budget["schedule"]) == (1e-4, 5e-4, "fixed")
    assert budget["width"] == 64


def test_paper_keeps_full_precision():
    assert not PAPER.compact


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_found_has_both_families_and_a_json_form(name):
    recipe = get_recipe(name)
    assert recipe.name == name
    assert recipe.classifiers.keys() == {"resnet", "densenet"}
    assert as_json(recipe)["estimator"]["batch"] == recipe.estimator.batch


def test_recipes_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        MINI.name = "other"
    with pytest.raises(FrozenInstanceError):
        MINI.estimator.lr = 1.0
    with pytest.raises(TypeError):
        MINI.classifiers["resnet"] = PAPER.classifiers["resnet"]
    with pytest.raises(TypeError):
        RECIPES["mini"] = PAPER


@pytest.mark.parametrize("kind", [ClassifierRecipe, EstimatorRecipe])
@pytest.mark.parametrize("length", [{}, {"epochs": 1, "steps": 1}])
def test_length_is_given_once(kind, length):
    with pytest.raises(ValueError, match="either `epochs` or `steps`"):
        kind(batch=1, **length)


def test_only_the_recipe_for_gpus_trains_in_mixed_precision():
    mixed = {
        name
        for name, recipe in RECIPES.items()
        if any(family.precision == "bf16" for family in recipe.classifiers.values())
    }
    assert mixed == {"fast"}
    assert PAPER.classifiers["resnet"].precision == "fp32"


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="expected `precision` fp32 or bf16, got 'fp16'"):
        ClassifierRecipe(batch=1, steps=1, precision="fp16")


def test_unknown_recipes_list_close_names():
    with pytest.raises(CamobenchError, match="unknown recipe 'mimi': did you mean mini"):
        get_recipe("mimi")
    with pytest.raises(CamobenchError, match="did you mean mini, laptop, fast, paper, smoke"):
        get_recipe("qqqq")
