import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.suites.audit.copies import near_pairs


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
