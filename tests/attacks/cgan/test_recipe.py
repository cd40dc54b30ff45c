from dataclasses import asdict

import pytest

from attacks.cgan.recipe import cgan_recipe
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
        "symmetries": False,
    }


def test_an_unknown_recipe_is_named():
    with pytest.raises(
        CamobenchError,
        match="no recipe 'huge'; they have paper, fast, mini, long, wide, smoke",
    ):
        cgan_recipe("huge")
