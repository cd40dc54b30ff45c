import itertools

import numpy as np
import torch

from attacks.patch_replacement import most_similar, rebuilt
from bench.contract import ATTACKS
from tests.toys import built, pixels


def test_it_is_the_exhaustive_search():
    images, side, reach = pixels(2, 14, 17), 3, 4
    rows, columns = most_similar(images.int(), side, reach)
    out = rebuilt(images.double(), rows, columns, side)
    for image, result, at_rows, at_columns in zip(images, out, rows, columns, strict=True):
        values = image.numpy().astype(np.int64)
        total, covered = np.zeros(values.shape), np.zeros(values.shape)
        for y, x in itertools.product(range(12), range(15)):
            costs = {}
            for v, u in itertools.product(range(12), range(15)):
                apart = max(abs(v - y), abs(u - x))
                if 2 <= apart <= reach:
                    change = values[:, v : v + 3, u : u + 3] - values[:, y : y + 3, x : x + 3]
                    costs[v, u] = (change**2).sum()
            v, u = at_rows[y, x].item(), at_columns[y, x].item()
            assert (v, u) == min(costs, key=costs.get)
            total[:, y : y + 3, x : x + 3] += values[:, v : v + 3, u : u + 3]
            covered[:, y : y + 3, x : x + 3] += 1
        np.testing.assert_allclose(result.numpy(), total / covered, atol=1e-9)


def test_what_repeats_is_found_again():
    attack = built(ATTACKS, "patch-replacement")
    tile = pixels(1, 64, 4)
    images = torch.cat([tile] * 16, dim=-1)
    assert torch.equal(attack(images), images)
    assert not torch.equal(attack(pixels(1, 64, 64)), pixels(1, 64, 64))
