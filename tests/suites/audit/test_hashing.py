import numpy as np
import pytest

from bench.suites.audit import hashing
from bench.suites.audit.hashing import (
    contrast_255,
    hamming,
    near_pairs,
    perceptual_hashes,
    pixel_digest,
    signature,
)
from tests.toys import pixels


def hashes_of(count, seed=0):
    return np.random.default_rng(seed).integers(0, 2**63, count, dtype=np.uint64)


def test_a_digest_is_of_every_pixel():
    image = pixels(1, 64, 64)[0].numpy()
    assert pixel_digest(image) == pixel_digest(image.copy())
    changed = image.copy()
    changed[2, 63, 63] ^= 1
    assert pixel_digest(changed) != pixel_digest(image)
    turned = image.transpose(0, 2, 1)
    assert pixel_digest(turned) == pixel_digest(np.ascontiguousarray(turned))


@pytest.mark.parametrize("side", [64, 80, 128])
def test_a_signature_is_the_low_block_of_the_thumbnails_dct(side):
    image = pixels(1, side, side, seed=side)[0].numpy()
    fine = np.kron(image.mean(axis=0), np.ones((32, 32)))
    thumbnail = fine.reshape(32, side, 32, side).mean(axis=(1, 3))
    k, n = np.mgrid[0:32, 0:32]
    basis = np.sqrt(2 / 32) * np.cos(np.pi * (2 * n + 1) * k / 64)  # rows above the first
    expected = (basis @ thumbnail @ basis.T)[1:9, 1:9].ravel()
    np.testing.assert_allclose(signature(image), expected, atol=0.02)


def test_contrast_is_in_grey_levels():
    rows, columns = np.mgrid[0:64, 0:64]
    wave = np.cos(np.pi * (2 * rows + 1) * 2 / 128) * np.cos(np.pi * (2 * columns + 1) * 3 / 128)
    image = np.repeat((127.5 + 100 * wave)[None], 3, axis=0).round().astype(np.uint8)
    contrast = contrast_255(np.array([signature(image), signature(np.full_like(image, 9))]))
    np.testing.assert_allclose(contrast, [50, 0], atol=0.5)  # 100 by half, the wave's deviation


def test_hashes_have_as_many_ones_as_noughts():
    images = pixels(5, 64, 64).numpy()
    hashes = perceptual_hashes(np.array([signature(image) for image in images]))
    assert hashes.shape == (5,)
    assert [int(value).bit_count() for value in hashes] == [32] * 5
    assert len(set(hashes.tolist())) == 5


def test_hamming_counts_the_bits_that_differ():
    one, other = hashes_of(7), hashes_of(5, seed=1)
    expected = [[(int(a) ^ int(b)).bit_count() for b in other] for a in one]
    np.testing.assert_array_equal(hamming(one, other), expected)
    assert hamming(np.array([0], np.uint64), np.array([2**64 - 1], np.uint64)) == 64


def test_near_pairs_are_those_of_a_plain_search(monkeypatch):
    monkeypatch.setattr(hashing, "_BLOCK", 7)
    hashes, groups = hashes_of(40), np.arange(40) % 3
    for copy, original, bits in ((31, 2, 3), (20, 19, 8), (11, 12, 9), (38, 35, 1)):
        hashes[copy] = hashes[original] ^ np.uint64(2**bits - 1)
    expected = {
        (i, j, (int(hashes[i]) ^ int(hashes[j])).bit_count())
        for i in range(40)
        for j in range(i + 1, 40)
        if groups[i] != groups[j] and (int(hashes[i]) ^ int(hashes[j])).bit_count() <= 8
    }
    found = list(near_pairs(hashes, groups, 8))
    assert (2, 31, 3) in found
    assert not any(pair[:2] == (35, 38) for pair in found)  # of one group
    assert len(found) == len(set(found))
    assert set(found) == expected
