"""What is worked on in tiles is what one pass gives."""

import numpy as np
import pytest
import torch

from bench.contract import ATTACKS, Attack, AttackSpec, Victim, VictimSpec
from bench.files import tiles
from bench.files.tiles import anonymise_tiled, tiled_logits
from bench.recipes import SMOKE
from tests.toys import CLASSES, pixels, shaken

LOCAL = [entry.spec.name for entry in ATTACKS if entry.spec.reach_px is not None]
EXACT = ("identity", "jpeg", "median", "gaussian-blur", "wavelet-denoise", "patch-replacement")
SIZE = (437, 530)  # neither a multiple of the grid nor of each other


@pytest.fixture
def small(monkeypatch):
    """Tiles so small that a test has many; the margins stay as they are."""
    monkeypatch.setattr(tiles, "WHOLE_PX", 256)
    monkeypatch.setattr(tiles, "ANONYMISED_PX", 128)
    monkeypatch.setattr(tiles, "ATTRIBUTED_PX", 64)


@pytest.mark.parametrize("name", LOCAL)
@torch.no_grad()
def test_every_attack_that_states_a_reach_gives_the_pixels_of_one_pass(small, name):
    entry = ATTACKS.get(name)
    attack = shaken(entry.builder(entry.spec, classes=CLASSES, recipe=SMOKE)).eval()
    images = pixels(1, *SIZE)
    targets = torch.tensor([1]) if attack.spec.targeted else None
    whole, tiled = attack(images, targets).int(), anonymise_tiled(attack, images, targets).int()
    difference = (whole - tiled).abs()
    if name in EXACT:
        assert not difference.any()
    assert difference.max() <= 1
    assert np.count_nonzero(difference) <= 1e-3 * difference.numel()  # values at a rounding edge


class Reaching(Attack):
    """A running mean of 33 pixels, whose reach is 16, and what its spec says of it."""

    def __init__(self, reach_px):
        super().__init__(AttackSpec(name="reaching", targeted=False, reach_px=reach_px))
        self.sizes = []

    def transform(self, images, targets):
        self.sizes.append(tuple(images.shape[-2:]))
        return torch.nn.functional.avg_pool2d(images, (1, 33), 1, (0, 16), count_include_pad=False)


def test_what_is_large_is_cut_as_far_as_the_attack_states_a_reach(small):
    images = pixels(1, *SIZE)
    whole = Reaching(16)(images)
    for reach_px, size, count in ((16, SIZE, 20), (16, (200, 256), 1), (None, SIZE, 1)):
        attack = Reaching(reach_px)
        found = anonymise_tiled(attack, pixels(1, *size), None)
        assert size != SIZE or torch.equal(found, whole)
        assert len(attack.sizes) == count
        assert count == 1 or max(map(max, attack.sizes)) <= 128 + 16 + 2 * 16
    assert not torch.equal(anonymise_tiled(Reaching(0), images, None), whole)  # it would show


class Pooled(Victim):
    """Looks at single pixels, pools, and is linear: a mean of tiles is the whole."""

    spec = VictimSpec(name="pooled")

    def __init__(self):
        super().__init__(classes=CLASSES)
        self.sizes = []
        self.head = torch.nn.Linear(3, 3)

    def logits(self, images):
        self.sizes.append(tuple(images.shape[-2:]))
        return self.head(images.square().mean((2, 3)))


@torch.no_grad()
def test_large_photographs_are_attributed_by_the_mean_logits_of_tiles(small):
    victim = Pooled()
    covered = pixels(1, 128, 320)
    expected = victim.logits(covered / 255)
    assert torch.allclose(tiled_logits(victim, covered), expected, atol=1e-6)
    assert victim.sizes[1:] == [(64, 64)] * 10
