from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest
import torch

from bench.signal.cooccurrence import T, spam_features

DIRECTIONS = {
    "straight": ((0, 1), (0, -1), (1, 0), (-1, 0)),
    "diagonal": ((1, 1), (-1, -1), (1, -1), (-1, 1)),
}


def transition(plane, step):
    """Pr(D(p + 2 step) = u | D(p + step) = v, D(p) = w) by walking, a pixel at a time."""
    height, width = plane.shape
    dy, dx = step
    triples = Counter()
    for y, x in product(range(height), range(width)):
        path = [(y + k * dy, x + k * dx) for k in range(4)]
        if all(0 <= i < height and 0 <= j < width for i, j in path):
            values = [int(plane[i, j]) for i, j in path]
            w, v, u = (a - b for a, b in pairwise(values))
            triples[u, v, w] += 1
    matrix = np.zeros((2 * T + 1,) * 3)
    span = range(-T, T + 1)
    for u, v, w in product(span, span, span):
        condition = sum(triples[other, v, w] for other in span)
        if condition:
            matrix[u + T, v + T, w + T] = triples[u, v, w] / condition
    return matrix


def slow_spam(plane):
    halves = [np.mean([transition(plane, s) for s in steps], 0) for steps in DIRECTIONS.values()]
    return np.concatenate([half.ravel() for half in halves])


def smooth(count, height, width, seed=0):
    """Planes whose neighbours differ by a few grey levels."""
    random = np.random.default_rng(seed)
    ramp = np.add.outer(np.arange(height), 2 * np.arange(width))
    return torch.from_numpy(ramp + random.integers(0, 4, (count, height, width)))


@pytest.mark.parametrize("size", [(4, 4), (16, 16), (11, 23), (23, 11)])
def test_features_are_those_of_the_definition(size):
    planes = smooth(3, *size)
    expected = np.stack([slow_spam(plane.numpy()) for plane in planes])
    assert (expected > 0).any()
    np.testing.assert_allclose(spam_features(planes).numpy(), expected, rtol=0, atol=1e-15)


def test_differences_beyond_t_count_for_nothing():
    checks = (torch.arange(12)[:, None] + torch.arange(12)) % 2 * 4  # every step is of 4
    assert spam_features(checks[None])[0, :343].count_nonzero() == 0


def test_differences_of_bytes_do_not_wrap_around():
    planes = torch.tensor([0, 255, 1, 254], dtype=torch.uint8)[None, None].expand(1, 4, 4)
    assert torch.equal(spam_features(planes), spam_features(planes.long()))
