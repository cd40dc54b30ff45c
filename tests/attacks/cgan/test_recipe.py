import pytest

from attacks.cgan.recipe import cgan_recipe
from bench.types import CamobenchError


def test_paper_recipe_holds_the_numbers_of_the_paper():
    budget = cgan_recipe("paper")
    assert (budget.lambda_adv, budget.lambda_cnt, budget.lambda_aux) == (0.01, 1.0, 0.01)
    assert (budget.generator_width, budget.discriminator_width) == (64, 64)
    assert (budget.batch, budget.epochs, budget.steps) == (32, 200, None)
    assert (budget.generator_lr, budget.discriminator_lr, budget.beta1) == (2e-4, 2e-4, 0.5)
    ours = (budget.residual, budget.resize, budget.projected, budget.cosine, budget.rounded)
    assert not any((*ours, budget.average, budget.symmetries))


def test_an_unknown_recipe_is_named():
    with pytest.raises(CamobenchError, match="no recipe 'huge'; they have paper, fast, mini"):
        cgan_recipe("huge")
