import io

import numpy as np
import pytest
import torch
from PIL import Image

from bench import checks
from bench.types import CamobenchError


@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 1, 64, 64), (1, 64, 64, 3), (2, 4, 8, 8)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected `images` of shape \(N, 3, H, W\), got \("):
        checks.require_images(torch.zeros(shape))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite_are_counted(bad):
    values = torch.zeros(2, 3)
    checks.require_finite(values, "the logits")
    values[0, 1] = values[1, 2] = bad
    with pytest.raises(ValueError, match="the logits: 2 of 6 values are NaN or infinite"):
        checks.require_finite(values, "the logits")


def test_unit_images_are_exact_multiples_of_one_255th():
    levels = torch.arange(256, dtype=torch.uint8)
    unit = checks.to_unit(levels)
    assert unit.dtype == torch.float32
    np.testing.assert_array_equal(unit.numpy(), np.arange(256, dtype=np.float32) / np.float32(255))
    assert (unit[0], unit[-1]) == (0, 1)


def test_8_bit_images_are_what_a_png_holds():
    images = torch.rand(1, 3, 9, 7, generator=torch.Generator().manual_seed(0)) * 1.4 - 0.2
    levels = checks.to_uint8(images)
    assert levels.dtype == torch.uint8
    expected = np.rint(np.clip(images.numpy().astype(np.float64), 0, 1) * 255)
    np.testing.assert_array_equal(levels.numpy(), expected)
    stream = io.BytesIO()
    Image.fromarray(levels[0].permute(1, 2, 0).numpy()).save(stream, "PNG")
    read = np.asarray(Image.open(stream)).transpose(2, 0, 1)
    np.testing.assert_array_equal(read, levels[0].numpy())


def test_devices(monkeypatch):
    assert checks.resolve_device("cpu") == "cpu"
    for cuda, mps, expected in ((True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda cuda=cuda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda mps=mps: mps)
        assert checks.resolve_device("auto") == expected
    with pytest.raises(CamobenchError, match="device 'abacus' cannot be used here"):
        checks.resolve_device("abacus")
