import numpy as np
import pytest

from bench.detect.detectors import REGIMES, detect

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
