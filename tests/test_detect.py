import numpy as np
import pytest
import torch
from torch.nn import functional as F

from bench.detect import DETECTORS, REGIMES, detect, features_of
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


COUNT = 60
MARKS = {"one": 0, "two": 1, "three": 2}


def noise(seed, count=COUNT):
    return np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)


def marked(features, place):
    """What an attack does that leaves a mark of its own."""
    changed = features.copy()
    changed[:, place] += 6
    return changed


def detected(attack, *, more=(), kin=()):
    plain, clean = noise(0), noise(1)
    treated = {name: marked(plain, place) for name, place in MARKS.items()} | dict(more)
    tested = clean, marked(clean, MARKS[attack]) if attack in MARKS else clean
    found = {one.regime: one for one in detect(attack, plain, treated, tested, kin)}
    return {regime: one.anonymised - one.originals for regime, one in found.items()}


@pytest.mark.parametrize("attack", MARKS)
def test_the_tested_attack_is_kept_out_where_it_is_unseen(attack):
    """Its mark is in no other attack's images: a detector that knows it has seen them."""
    gain = detected(attack)
    assert list(gain) == list(REGIMES)
    assert (gain["known"] > 3).all()
    assert np.abs(gain["unseen"]).mean() < 0.2 * gain["known"].mean()
    assert (gain["originals"] > 0).mean() > 0.9


def test_kin_give_an_attack_away_unless_they_are_kept_out_too():
    gain = detected("one", more={"kin": marked(noise(0), MARKS["one"])}, kin=["one", "kin"])
    assert (gain["unseen"] > 1).all()
    assert np.abs(gain["unrelated"]).mean() < 0.2 * gain["unseen"].mean()


def test_images_that_are_the_same_teach_nothing():
    same = detected("identity", more={"identity": noise(0)})
    assert all((one == 0).all() for one in same.values())
    alone, beside = detected("one"), detected("one", more={"identity": noise(0)})
    np.testing.assert_array_equal(alone["unseen"], beside["unseen"])


def test_who_teaches_has_nothing_to_do_with_the_turn_of_an_image():
    """Of two teachers that mark every second image, in turn, both are learned from."""
    plain, odd = noise(0), np.arange(COUNT) % 2 == 1
    half = {
        name: np.where((odd == seen)[:, None], marked(plain, place), plain)
        for name, place, seen in (("one", 0, True), ("two", 1, False))
    }
    clean = noise(1)
    for place in (0, 1):
        tested = clean, marked(clean, place)
        found = {one.regime: one for one in detect("three", plain, half, tested)}
        assert (found["unseen"].anonymised - found["unseen"].originals > 1).all()


def test_who_has_nothing_to_learn_from_says_nothing():
    plain = noise(0)
    assert [one.regime for one in detect("sent", plain, {}, (plain, plain))] == ["originals"]
