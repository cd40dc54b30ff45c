import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.suites.audit.copies import near_pairs, signature
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


@given(st.integers(0, 99))
def test_near_pairs_are_those_of_a_plain_search(seed):
    random = np.random.default_rng(seed)
    signatures = random.permuted(np.repeat([np.arange(64.0)], 20, 0), axis=1).astype(np.float32)
    for copy, original, swapped in ((19, 2, 2), (7, 6, 4), (11, 12, 5)):
        signatures[copy] = signatures[original]
        for low in range(swapped):  # each swap over the median moves two bits
            one, other = (np.flatnonzero(signatures[copy] == v)[0] for v in (low, 63 - low))
            signatures[copy, [one, other]] = signatures[copy, [other, one]]
    groups = random.integers(0, 3, 20)
    hashes = signatures > 31.5
    expected = {
        (i, j, bits)
        for i in range(20)
        for j in range(i + 1, 20)
        if groups[i] != groups[j] and (bits := int((hashes[i] != hashes[j]).sum())) <= 8
    }
    assert sorted(near_pairs(signatures, groups, rows_at_once=7)) == sorted(expected)
