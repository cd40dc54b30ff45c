from dataclasses import asdict

import pytest

from attacks.cgan.recipe import CGAN_RECIPES, CganRecipe, cgan_recipe
from bench.recipes import RECIPES
from bench.types import CamobenchError


def test_paper_recipe_holds_the_numbers_of_the_paper():
    assert asdict(cgan_recipe("paper")) == {
        "generator_width": 64,
        "discriminator_width": 64,
        "residual": False,
        "resize": False,
        "projected": False,
        "largest_change": 1.0,
        "batch": 32,
        "epochs": 200,
        "steps": None,
        "lambda_adv": 0.01,
        "lambda_cnt": 1.0,
        "lambda_aux": 0.01,
        "generator_lr": 2e-4,
        "discriminator_lr": 2e-4,
        "beta1": 0.5,
        "cosine": False,
        "average": 0.0,
        "rounded": False,
    }


def test_every_recipe_has_its_numbers():
    assert CGAN_RECIPES.keys() == RECIPES.keys()


def test_an_unknown_recipe_is_named():
    with pytest.raises(
        CamobenchError,
        match="no recipe 'huge'; they have paper, fast, mini, laptop, smoke",
    ):
        cgan_recipe("huge")


@pytest.mark.parametrize("length", [{}, {"epochs": 1, "steps": 1}])
def test_length_is_given_once(length):
    with pytest.raises(ValueError, match="either `epochs` or `steps`"):
        CganRecipe(**length)
