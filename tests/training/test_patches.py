import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from bench.training.patches import PatchSampler, apply_d4, grid_patches, open_stack
from bench.types import CamobenchError


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def numbered(count, height, width):
    """Images in which every value says which image, row and column it comes from."""
    image, y, x = np.mgrid[:count, :height, :width]
    return torch.from_numpy(np.stack([image, y, x], axis=1).astype(np.float32))


@pytest.fixture
def unturned(monkeypatch):
    """No patch is turned, so that it shows where it comes from."""
    monkeypatch.setattr("bench.training.patches.apply_d4", lambda cut, element: cut)


def symmetries(square):
    """The eight elements of D4 in NumPy's terms."""
    turned = [np.rot90(square, k, axes=(-2, -1)) for k in range(4)]
    return turned + [t[..., ::-1] for t in turned]


@pytest.mark.skipif(
    not hasattr(torch.backends, "fp32_precision"), reason="pretended tensors ask torch 2.8's driver"
)
def test_what_an_earlier_training_took_is_free_for_a_stack(monkeypatch):
    free = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: free.append(2**20))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (sum(free), 2**20))
    with FakeTensorMode(allow_non_fake_inputs=True):
        stack = open_stack(np.zeros((1, 3, 64, 64), np.uint8), torch.device("cuda"))
    assert stack.device.type == "cuda"


def test_every_class_is_drawn_equally_often():
    labels = torch.tensor([0] * 16 + [1] * 3 + [2])
    sampler = PatchSampler((torch.zeros(20, 1, 64, 64),), labels, generator())
    drawn = torch.cat([sampler.draw(300)[1] for _ in range(10)])
    counts = torch.bincount(drawn, minlength=3).double()
    # chi-square with two degrees of freedom: 13.8 is exceeded once in a thousand
    assert ((counts - 1000) ** 2 / 1000).sum() < 13.8


def test_patches_come_whole_from_the_grid(unturned):
    stack = numbered(2, 130, 200)
    sampler = PatchSampler((stack,), torch.tensor([0, 1]), generator())
    assert sampler.grid == (2, 3)
    assert sampler.patches == 2 * 2 * 3
    (patches,), labels = sampler.draw(200)
    assert patches.shape == (200, 3, 64, 64)
    corners = set()
    for patch, label in zip(patches, labels, strict=True):
        image, top, left = (int(v) for v in patch[:, 0, 0])
        assert image == label
        assert torch.equal(patch, stack[image, :, top : top + 64, left : left + 64])
        corners.add((image, top, left))
    assert corners == {(i, y, x) for i in (0, 1) for y in (0, 64) for x in (0, 64, 128)}


def test_the_eight_elements_are_the_symmetries_of_the_square():
    square = np.arange(2 * 5 * 5, dtype=np.float32).reshape(2, 5, 5)
    patches = torch.from_numpy(square).expand(8, -1, -1, -1)
    made = {p.numpy().tobytes() for p in apply_d4(patches, torch.arange(8))}
    assert len(made) == 8
    assert made == {np.ascontiguousarray(s).tobytes() for s in symmetries(square)}


@pytest.mark.parametrize("size", [(63, 64), (64, 63), (32, 32)])
def test_images_smaller_than_a_patch_are_refused(size):
    with pytest.raises(CamobenchError, match="are smaller than a patch of 64 x 64; use larger"):
        PatchSampler((torch.zeros(1, 3, *size),), torch.tensor([0]), generator())


def test_grid_patches_are_cut_row_by_row():
    stack = numbered(2, 130, 200)
    expected = [
        stack[i, :, y : y + 64, x : x + 64] for i in (0, 1) for y in (0, 64) for x in (0, 64, 128)
    ]
    assert torch.equal(grid_patches(stack), torch.stack(expected))


def test_stacks_are_cut_and_turned_alike():
    stack = numbered(3, 128, 128)
    other = torch.cat([stack * 2, stack[:, :1] - 5], dim=1)
    sampler = PatchSampler((stack, other), torch.tensor([0, 1, 1]), generator())
    (first, second), _ = sampler.draw(64)
    assert torch.equal(second[:, :3], first * 2)
    assert torch.equal(second[:, 3:], first[:, :1] - 5)
