import numpy as np
import pandas as pd
import pytest

from bench.metrics.paired import shared, shared_units
from bench.metrics.resampling import percentile_interval, wilson_interval
from bench.metrics.success import TASR, UASR, family_spreads, overall_spread, success_rates
from tests.toy_run import VICTIMS

FAMILIES = {name: family for name, family, _ in VICTIMS}


@pytest.fixture
def rows(frames):
    """Of each attack in distribution: 24 images of 12 photographs, each with two targets."""
    inside = frames[0][frames[0]["split"] == "in"]
    return {name: mine.reset_index(drop=True) for name, mine in inside.groupby("attack")}


def pair(*frames, families=FAMILIES):
    return shared(frames, TASR, families, by_target=True)


def test_means_and_difference_are_those_of_the_tables(rows):
    names = ("mislgan", "cgan-img")
    found = pair(*(rows[name] for name in names))
    rates = success_rates(pd.concat(rows.values()), "in")
    expected = [
        overall_spread(family_spreads(rates, name, TASR, FAMILIES).values()).mean for name in names
    ]
    assert found.means == pytest.approx(expected)
    assert found.effects(0, 1).sum() == pytest.approx(expected[0] - expected[1])
    assert found.weights.tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 3, 1 / 6, 1 / 6])
    assert (found.images, found.photographs, found.units) == (24, 12, 240)


def test_the_interval_is_that_of_scenes_drawn_by_hand(rows):
    """Of twelve, as far again from the middle as t and n - 1 ask for."""
    both = [rows["mislgan"], rows["cgan-img"]]
    drawn = pair(*both).drawn
    low, high = percentile_interval(drawn[:, 0] - drawn[:, 1], 12)
    units = shared_units(both, TASR, by_target=True)
    units["gap"] = units[0] - units[1]
    table = units.groupby(["scene", "victim"])["gap"].mean().unstack()
    by_family = table.T.groupby(FAMILIES).mean().mean().to_numpy()
    random = np.random.default_rng(9)
    by_hand = [by_family[random.integers(12, size=12)].mean() for _ in range(4000)]
    middle, stretch = np.median(by_hand), np.sqrt(12 / 11) * 2.201 / 1.96
    ends = middle + stretch * (np.quantile(by_hand, [0.025, 0.975]) - middle)
    assert (low, high) == pytest.approx(tuple(ends), abs=0.02)


def test_only_what_all_scored_is_compared(rows):
    one, other, third = rows["mislgan"], rows["cgan-img"], rows["cgan-img-wdf-pef"]
    kept = (one["image_id"] != "cam-a-p0-t0") & (one["target"] != "cam-c")
    found = pair(one, other[kept])
    assert (found.images, found.units) == (23, kept.sum())
    assert found.means[0] == pytest.approx(pair(one[kept], one[kept]).means[0])
    assert pair(one, other[other["victim"] == "v9"]) is None
    assert pair(one, other, families={"pef-resnet18": "pef"}).units == 48
    three, two = pair(one, other[kept], third), pair(one, third[kept])
    assert three.means[::2] == pytest.approx(two.means)
    assert three.effects(0, 2) == pytest.approx(two.effects(0, 1))
    assert three.drawn[:, ::2] == pytest.approx(two.drawn)


def test_an_untargeted_attack_meets_the_mean_over_an_images_targets(rows):
    one, other = rows["mislgan"], rows["jpeg-q85"]
    both = shared_units([one, other], UASR, by_target=False)
    assert len(both) == len(other)
    missed = one["predicted"] != one["source"]
    expected = missed.groupby([one["image_id"], one["victim"]]).mean()
    found = both.set_index(["image_id", "victim"])[0].sort_index()
    assert found.to_numpy() == pytest.approx(expected.sort_index().to_numpy())


def many(hits_per_scene, tiles=1, victim="v"):
    records = [
        (f"{photo}-{tile}", f"{photo}", f"{photo}", "x", "y", victim, "y" if hit else "x")
        for photo, hit in enumerate(hits_per_scene)
        for tile in range(tiles)
    ]
    columns = ["image_id", "photo_id", "scene", "source", "target", "victim", "predicted"]
    return pd.DataFrame(records, columns=columns)


def interval(rows, **families):
    return pair(rows, families=families or {"v": "wdf"}).figures[0][1]


def test_photographs_of_one_scene_move_together():
    one = many(np.arange(40) % 3 == 0)
    cameras = [one.assign(photo_id=n + one["photo_id"], image_id=n + one["image_id"]) for n in "ab"]
    found = pair(pd.concat(cameras), families={"v": "wdf"})
    assert found.drawn == pytest.approx(pair(one, families={"v": "wdf"}).drawn)
    assert (found.scenes, found.photographs, found.images) == (40, 80, 80)


def test_an_interval_is_clustered_by_scene_and_weighs_families_not_victims():
    hits = np.arange(40) % 2 == 0
    low, high = interval(many(hits))
    assert (low, high) == interval(many(hits, tiles=9))
    assert (high - low) / 2 == pytest.approx(1.96 * np.sqrt(0.25 / 40), rel=0.12)
    hit, miss = many([1, 1]), many([0, 0])  # of two images, one was sent to one target alone
    uneven = [hit, hit.assign(target="z", predicted="z"), miss.assign(image_id=["a", "b"])]
    assert pair(pd.concat(uneven), families={"v": "wdf"}).drawn == pytest.approx(2 / 3)
    families = {"w1": "wdf", "w2": "wdf", "p1": "pef"}
    table = pd.concat(many([name != "p1"] * 3, victim=name) for name in families)
    assert pair(table, families=families).drawn == pytest.approx(0.5)


def test_an_interval_is_none_where_it_means_nothing():
    assert pair(many([1])[:0]) is None
    assert interval(many([1])) is None
    assert interval(many([1, 1, 1])) == wilson_interval(1, 3)
    holes = pd.concat([many([1, 0, 1]), many([1], victim="u")])
    assert interval(holes, v="wdf", u="wdf") is None
