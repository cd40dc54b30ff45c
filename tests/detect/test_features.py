import pytest
import torch
from torch.nn import functional as F

from bench.detect.features import DETECTORS, features_of
from tests.toys import pixels


@pytest.mark.parametrize("sides", [(64, 64), (40, 100)])
def test_each_detector_reads_as_many_numbers_whatever_the_size(sides):
    found = features_of(pixels(2, *sides))
    counts = {name: one.shape[1] for name, one in found.items()}
    assert counts == {"spam": 686, "residual": 99, "fourier": 384, "image": 768}
    assert all(one.isfinite().all() and one.dtype == torch.float32 for one in found.values())


def test_images_are_read_one_by_one():
    images = pixels(3, 64, 64)
    for name, whole in features_of(images).items():
        alone = torch.cat([features_of(one[None])[name] for one in images])
        torch.testing.assert_close(whole, alone, rtol=1e-4, atol=1e-5)


def test_every_detector_sees_a_blur():
    images = pixels(1, 64, 64)
    blurred = F.avg_pool2d(images.float(), 3, 1, 1).byte()
    before, after = features_of(images), features_of(blurred)
    assert all((before[name] - after[name]).abs().max() > 0.1 for name in DETECTORS)


def test_the_grid_of_a_jpeg_file_is_told_from_what_lies_between():
    """Whole blocks of 8 pixels in one grey have no waves on the grid, and have them beside it."""
    grey = torch.randint(0, 256, (1, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    blocks = grey.repeat_interleave(8, 2).repeat_interleave(8, 3).expand(1, 3, 64, 64).byte()
    sizes = features_of(blocks)["image"].view(2, 2, 3, 64)  # grid, kind, plane, coefficient
    on, between = sizes[:, 1, 0, 1:].mean(1)
    assert on == 1
    assert between < 0.9
