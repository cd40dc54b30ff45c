import numpy as np
import pytest

from bench.signal.thumbnail import read_signature, signature, write_signature
from tests.toys import pixels


@pytest.mark.parametrize("side", [64, 80, 128])
def test_a_signature_is_the_low_block_of_the_thumbnails_dct(side):
    image = pixels(1, side, side, seed=side)[0].numpy()
    fine = np.kron(image.mean(axis=0), np.ones((32, 32)))
    thumbnail = fine.reshape(32, side, 32, side).mean(axis=(1, 3))
    k, n = np.mgrid[0:32, 0:32]
    basis = np.sqrt(2 / 32) * np.cos(np.pi * (2 * n + 1) * k / 64)  # rows above the first
    expected = (basis @ thumbnail @ basis.T)[1:9, 1:9].ravel()
    np.testing.assert_allclose(signature(image), expected, atol=0.02)
    kept = read_signature(write_signature(signature(image)))
    np.testing.assert_allclose(kept, expected, rtol=1e-3, atol=0.02)
