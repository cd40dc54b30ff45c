import warnings

import lpips
import numpy as np
import pytest
import torch

from bench.metrics.lpips import (
    FEATURES,
    GOLDEN,
    LINEAR,
    SHA256,
    Lpips,
    golden_pair,
    load_lpips,
    shipped_weights,
)
from bench.types import CamobenchError
from tests.toys import pixels

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def packages_own():
    """What the `lpips` package builds itself, its trunk filled in by the order of the layers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False).eval()
    weights = shipped_weights()
    for (name, parameter), number in zip(
        network.net.named_parameters(), np.repeat([0, 3, 6, 8, 10], 2), strict=True
    ):
        parameter.data.copy_(weights[f"features.{number}.{name.rpartition('.')[2]}"])
    return network


@pytest.mark.parametrize(("height", "width"), [(64, 80), (31, 33)])
def test_values_are_those_of_the_authors_package(packages_own, height, width):
    one, other = pixels(3, height, width), pixels(3, height, width, seed=1)
    with torch.no_grad():
        expected = packages_own(one / 127.5 - 1, other / 127.5 - 1).reshape(3)
    found = load_lpips(CPU)(one, other)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    assert found.std() > 0


def test_the_golden_pair_has_its_published_value():
    found = load_lpips(CPU)(*golden_pair(CPU))
    assert found.tolist() == pytest.approx([0.2393689], abs=2e-7)


@pytest.mark.parametrize("name", [FEATURES, LINEAR])
def test_damaged_weights_are_named_with_the_remedy(name, monkeypatch):
    monkeypatch.setitem(SHA256, name, "0" * 64)
    with pytest.raises(CamobenchError, match=rf"{name} is damaged .*install camobench again"):
        Lpips(CPU)


def test_a_torch_that_computes_something_else_is_named(monkeypatch):
    monkeypatch.setattr("bench.metrics.lpips.GOLDEN", GOLDEN * 1.001)
    with pytest.raises(CamobenchError, match=r"golden pair is 0\.2393"):
        Lpips(CPU)
