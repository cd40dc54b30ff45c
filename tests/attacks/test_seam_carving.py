import itertools

import numpy as np
import pytest
import torch

from attacks.seam_carving import displaced, energy, seams
from bench.contract import ATTACKS
from tests.toys import built, pixels


def test_seams_cost_least_of_all_paths():
    energies = torch.randint(0, 1000, (2, 6, 11), generator=torch.Generator().manual_seed(0))
    bounds = [0, 5, 11]
    found = seams(energies, bounds)
    assert found.shape == (2, 2, 6)
    for image, (strip, (left, right)) in itertools.product(
        range(2), enumerate(itertools.pairwise(bounds))
    ):
        costs = {}
        for start in range(left, right):
            for steps in itertools.product((-1, 0, 1), repeat=5):
                path = np.cumsum([start, *steps])
                if left <= path.min() and path.max() < right:
                    costs[tuple(path)] = int(energies[image, range(6), path].sum())
        assert tuple(found[image, strip].tolist()) == min(costs, key=costs.get)


@pytest.mark.parametrize("width", [64, 97])
def test_rows_lose_a_pixel_of_each_even_strip_and_gain_one_in_the_next(width):
    images = pixels(1, 65, width).float() / 255
    count = 2 * (width // 16)
    bounds = [width * i // count for i in range(count + 1)]
    found = seams(energy(images), bounds)[0]
    moved = displaced(images, 8)
    assert moved.shape == images.shape
    for y in range(65):
        row = [images[0, :, y, x] for x in range(width)]
        made = []
        removed, inserted = set(found[0::2, y].tolist()), set(found[1::2, y].tolist())
        for x in range(width):
            if x not in removed:
                made.append(row[x])
            if x in inserted:
                made.append((row[x] + row[min(x + 1, width - 1)]) / 2)
        assert torch.equal(torch.stack(made, dim=1), moved[0, :, y])


def test_no_block_stays_where_it_was():
    attack = built(ATTACKS, "seam-carving")
    images = pixels(1, 128, 128)
    changed = (attack(images) != images).any(1)[0]
    blocks = changed.unfold(0, 16, 16).unfold(1, 16, 16).flatten(2).float().mean(-1)
    assert blocks.min() > 0.25
