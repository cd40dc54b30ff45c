from dataclasses import asdict

from bench.recipes import PAPER, RECIPES
from bench.types import as_json

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


def test_recipes_of_full_width_but_the_papers_train_in_mixed_precision():
    mixed = {
        name
        for name, recipe in RECIPES.items()
        if any(family.precision == "bf16" for family in recipe.classifiers.values())
    }
    assert mixed == {"fast", "wide"}
    assert PAPER.classifiers["resnet"].precision == "fp32"
