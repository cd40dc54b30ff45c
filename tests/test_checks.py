import pytest
import torch

from bench import checks
from bench.types import CamobenchError


@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 1, 64, 64), (1, 64, 64, 3), (2, 4, 8, 8)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected `images` of shape \(N, 3, H, W\), got \("):
        checks.require_images(torch.zeros(shape))


def test_devices(monkeypatch):
    assert checks.resolve_device("cpu") == "cpu"
    for cuda, mps, expected in ((True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda cuda=cuda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda mps=mps: mps)
        assert checks.resolve_device("auto") == expected
    with pytest.raises(CamobenchError, match="device 'abacus' cannot be used here"):
        checks.resolve_device("abacus")
