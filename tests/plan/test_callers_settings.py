"""No row depends on what the caller of `evaluate` has set in torch, or has drawn."""

import random
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from bench.contract import Attack, AttackSpec
from bench.types import FitReport
from tests.plan.test_evaluate import psnr

pytestmark = pytest.mark.usefixtures("own_registries")


class Grain(Attack):
    spec = AttackSpec(name="grain")

    def transform(self, images, targets):
        return images + 0.1 * torch.randn_like(images)


class Tint(Attack):
    spec = AttackSpec(name="tint", targeted=False)

    def __init__(self, spec=None, *, classes=(), recipe=None):
        super().__init__(spec, classes=classes, recipe=recipe)
        self.tint = 0.1 * torch.randn(3, 1, 1)

    def transform(self, images, targets):
        return images + self.tint


class Masked(Tint):
    """Learns against what it drew, which its checkpoint lacks."""

    spec = AttackSpec(name="masked", targeted=False)

    def __init__(self, spec=None, *, classes=(), recipe=None):
        super().__init__(spec, classes=classes, recipe=recipe)
        self.learnt = nn.Parameter(torch.zeros(3, 1, 1))

    def fit(self, data, context):
        self.learnt.data.copy_(self.tint)
        return FitReport()

    def transform(self, images, targets):
        return images + self.tint - self.learnt


def test_what_a_network_draws_and_does_not_keep_is_what_it_was_trained_with(ask):
    assert np.isinf(psnr(ask(attacks=[Masked], victims="img-resnet12"), "masked"))


def test_what_a_notebook_has_set_and_drawn_is_nothing_to_it(ask, smoke_copy):
    asked = {"attacks": [Grain], "victims": "img-resnet12", "seed": np.int64(1)}
    state = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.autocast("cpu", torch.bfloat16), torch.inference_mode(), torch.device("meta"):
            rows = ask(**asked).predictions
            assert torch.empty(1).device.type == "meta"
            assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    now = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    assert now == state
    for made in ("checkpoints", "predictions"):
        shutil.rmtree(smoke_copy.store.root / made)
    pd.testing.assert_frame_equal(ask(**asked).predictions, rows)
