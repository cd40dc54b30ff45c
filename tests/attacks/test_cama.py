"""Cama and SpoC: what the cGAN's own tests do not say of them."""

import pytest
import torch

from attacks.cgan.networks import ERROR_UNIT, Discriminator
from bench.contract import ATTACKS
from bench.recipes import PAPER
from tests.toys import built, pixels

WEIGHTS = {"cama": (1.0, 10.0, 0.005), "spoc": (0.3, 10.0, 0.01)}
SURROGATES = {"cama": ("low-resnet18", "wdf-resnet18"), "spoc": ("img-fd-resnet18",)}


@pytest.mark.parametrize("name", WEIGHTS)
def test_losses_are_weighted_as_the_authors_do(name):
    budget = built(ATTACKS, name, PAPER).budget
    assert (budget.lambda_adv, budget.lambda_cnt, budget.lambda_aux) == WEIGHTS[name]
    assert ATTACKS.get(name).spec.surrogates == SURROGATES[name]
    assert not ATTACKS.get(name).spec.paper_row


def test_spocs_discriminator_reads_third_differences():
    torch.manual_seed(0)
    judge = Discriminator(3, 4, differences=True).eval()
    seen = []
    judge.first.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    images = pixels(2, 64, 64).float() / 127.5 - 1
    judge(images, torch.tensor([0, 1]))
    x = images.double()
    across = x[..., 3:] - 3 * x[..., 2:-1] + 3 * x[..., 1:-2] - x[..., :-3]
    down = x[..., 3:, :] - 3 * x[..., 2:-1, :] + 3 * x[..., 1:-2, :] - x[..., :-3, :]
    shown, by_row, by_column = seen[0].double().split(3, dim=1)
    assert torch.equal(shown, x)
    torch.testing.assert_close(by_row[..., 3:] / ERROR_UNIT, across, rtol=0, atol=1e-5)
    torch.testing.assert_close(by_column[..., 3:, :] / ERROR_UNIT, down, rtol=0, atol=1e-5)
    assert (by_row[..., 0] == 0).all()
