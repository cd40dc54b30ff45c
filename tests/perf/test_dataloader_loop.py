"""The conventional loop is frozen: what it draws, how it trains, and that it stays conventional."""

import itertools

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from bench.perf.dataloader_loop import PatchFiles, loop_steps, patch_loader
from bench.recipes import ClassifierRecipe
from bench.training.patches import PatchSampler
from tests.toys import copied, same_state

CPU = torch.device("cpu")
LABELS = np.array([0, 0, 0, 1])
BUDGET = ClassifierRecipe(batch=4, steps=3, lr=0.05)


@pytest.fixture(scope="module")
def images():
    """Values that say which image, row and column they come from, in every 8th of a patch."""
    image, y, x = np.mgrid[:4, :128, :192]
    return np.stack([image * 60 + 1, y // 8 * 3, x // 8 * 5], axis=1).astype(np.uint8)


@pytest.fixture(scope="module")
def files(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    paths = [folder / f"{index}.png" for index in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))).save(path)
    return paths


def batches(files, steps, *, batch=50, workers=0, seed=0):
    loader = patch_loader(
        files, LABELS, batch=batch, steps=steps, workers=workers, device=CPU, seed=seed
    )
    torch.manual_seed(seed)
    return list(loader)


def histogram(patches):
    return {patch.tobytes() for patch in patches.numpy()}


def test_both_sides_draw_the_same_patches(images, files):
    """Every patch of one is a patch of the other: the grid, the eight symmetries, the scale."""
    loop = torch.cat([patches for patches, _ in batches(files, 40)])
    sampler = PatchSampler(
        (torch.from_numpy(images),), torch.from_numpy(LABELS), torch.Generator().manual_seed(0)
    )
    ours = torch.cat([sampler.draw(50)[0][0] for _ in range(40)]).float() / 255
    assert loop.dtype == torch.float32
    assert histogram(loop) == histogram(ours)
    assert len(histogram(ours)) == 4 * 6 * 8  # images, places of the grid, symmetries


def test_both_sides_draw_classes_equally_often(images, files):
    labels = torch.cat([labels for _, labels in batches(files, 20)])
    sampler = PatchSampler(
        (torch.from_numpy(images),), torch.from_numpy(LABELS), torch.Generator().manual_seed(0)
    )
    ours = torch.cat([sampler.draw(50)[1] for _ in range(20)])
    assert len(labels) == len(ours) == 1000
    for drawn in (labels, ours):  # 3.3 standard deviations
        assert int((drawn == 1).sum()) == pytest.approx(500, abs=52)


def test_labels_belong_to_their_patches(files):
    for patches, labels in batches(files, 4):
        image = ((patches[:, 0, 0, 0] * 255 - 1) / 60).round().long()
        assert torch.equal(torch.from_numpy(LABELS)[image], labels)


def test_residuals_are_read_unscaled(tmp_path):
    residual = np.random.default_rng(0).normal(0, 3, (64, 64, 3)).astype(np.float32)
    np.save(tmp_path / "0.npy", residual)
    patch, label = PatchFiles([tmp_path / "0.npy"], np.array([2]))[0]
    assert (patch.dtype, label) == (torch.float32, 2)
    np.testing.assert_allclose(np.sort(patch.numpy().ravel()), np.sort(residual.ravel()))


def test_its_draws_are_frozen(files):
    """The reference must not drift: the first draws of a seed, as first committed."""
    (patches, labels), *_ = batches(files, 1, batch=8)
    assert labels.tolist() == GOLDEN_LABELS
    assert [round(float(value) * 255) for value in patches.sum((1, 2, 3)) / 4096] == GOLDEN_SUMS


GOLDEN_LABELS = [1, 0, 1, 1, 1, 0, 0, 1]
GOLDEN_SUMS = [209, 213, 313, 209, 289, 153, 173, 273]


def network():
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 4, 5, stride=4), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2)
    )


def fixed():
    torch.manual_seed(2)
    return [(torch.rand(4, 3, 64, 64), torch.tensor([0, 1, 0, 1])) for _ in range(3)]


def test_it_trains_as_plain_sgd_does():
    trained, expected = network(), network()
    data = fixed()
    for one in (trained, expected):
        one(data[0][0])
        torch.manual_seed(3)
        one[-1].reset_parameters()
    losses = [float(loss) for loss in loop_steps(trained, iter(data), BUDGET, 3, CPU)]
    sgd = torch.optim.SGD(expected.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    found = []
    for step, (patches, labels) in enumerate(data):
        sgd.param_groups[0]["lr"] = 0.05 / 10 ** sum(step >= m for m in (2, 2, 3))
        loss = F.cross_entropy(expected(patches), labels)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        found.append(float(loss.detach()))
    assert losses == pytest.approx(found, rel=1e-6)
    assert same_state(copied(trained), expected.state_dict())


def test_it_is_fp32_contiguous_and_in_training_mode():
    seen = []

    class Spy(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(3, 2)

        def forward(self, patches):
            seen.append((self.training, patches.dtype, patches.is_contiguous()))
            seen.append(torch.is_autocast_enabled("cpu"))
            return self.head(patches.mean((2, 3)))

    spy = Spy().eval()
    list(loop_steps(spy, itertools.repeat(fixed()[0]), BUDGET, 2, CPU))
    assert seen == [(True, torch.float32, True), False] * 2
    assert all(weight.grad.dtype == torch.float32 for weight in spy.parameters())


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_worker_processes_decode_the_same_images(files):
    found = torch.cat([patches for patches, _ in batches(files, 2, batch=4, workers=1)])
    everything = torch.cat([patches for patches, _ in batches(files, 60)])
    assert histogram(found) <= histogram(everything)
