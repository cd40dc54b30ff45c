import numpy as np
import pytest
import torch
from scipy import ndimage

from attacks.di_ti_mi_fgsm import smooth
from tests.attacks.laacs import TARGETS, attack_of, unit
from tests.toys import pixels


def test_without_views_and_smoothing_it_is_mi_fgsm():
    images = pixels(2, 64, 72)
    bare = attack_of("di-ti-mi-fgsm", eps_255=4.5, diversity=0, kernel_px=1)
    assert torch.equal(bare(images, TARGETS), attack_of("mi-fgsm")(images, TARGETS))
    for more in ({"diversity": 0}, {"kernel_px": 1}):
        other = attack_of("di-ti-mi-fgsm", eps_255=4.5, **more)
        assert not torch.equal(other(images, TARGETS), bare(images, TARGETS))


@pytest.mark.parametrize("side", [7, 15])
def test_gradients_are_smoothed_by_a_gaussian(side):
    gradient = torch.randn(2, 3, 33, 40, generator=torch.Generator().manual_seed(0)).double()
    sigma = (side // 2) / 3
    expected = ndimage.gaussian_filter(
        gradient.numpy(), (0, 0, sigma, sigma), mode="constant", radius=(0, 0, *[side // 2] * 2)
    )
    np.testing.assert_allclose(smooth(gradient, side).numpy(), expected, rtol=0, atol=1e-9)


def test_views_are_the_image_enlarged_somewhere_in_a_frame():
    attack, places = attack_of("di-ti-mi-fgsm"), set()
    for seed in range(40):
        draws = torch.rand(4, generator=torch.Generator().manual_seed(seed)).tolist()
        images = unit(pixels(1, 64, 96)) + 0.01
        view = attack.view(images, draws)
        if draws[0] >= 0.5:
            assert view is images
            continue
        assert view.shape[-2:] == (70, 105)
        rows, columns = (view[0].amax((0, dim)).nonzero()[:, 0].tolist() for dim in (2, 1))
        height, width = len(rows), len(columns)
        assert rows == list(range(rows[0], rows[0] + height))
        assert columns == list(range(columns[0], columns[0] + width))
        assert 64 <= height <= 70
        assert abs(width / height - 1.5) < 0.03
        down, right = (np.arange(n) * size // n for n, size in ((height, 64), (width, 96)))
        inside = view[..., rows[0] : rows[0] + height, columns[0] : columns[0] + width]
        assert torch.equal(inside, images[..., down, :][..., right])
        places.add((height, rows[0], columns[0]))
    assert len(places) > 8
