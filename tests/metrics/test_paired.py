import numpy as np
import pandas as pd
import pytest

from bench.metrics.paired import shared, shared_units
from bench.metrics.resampling import percentile_interval
from bench.metrics.success import TASR, UASR, family_spreads, overall_spread, success_rates

FAMILIES = {"v1": "wdf", "v2": "wdf", "v3": "img"}


def rows(attack, seed, *, chance=0.6, targeted=True, photos=5, tiles=2):
    random = np.random.default_rng(seed)
    made = []
    for photo in range(photos):
        for tile in range(tiles):
            for target in ("b", "c") if targeted else (None,):
                for victim in FAMILIES:
                    hit = random.random() < chance
                    made.append(
                        {
                            "split": "in",
                            "image_id": f"p{photo}-t{tile}",
                            "photo_id": f"p{photo}",
                            "source": "a",
                            "target": target,
                            "attack": attack,
                            "victim": victim,
                            "predicted": (target or "b") if hit else "a",
                            "p_source": 0.1,
                            "p_target": 0.1 if targeted else None,
                            "p_predicted": 0.5,
                        }
                    )
    return pd.DataFrame(made).astype({"target": "string"})


def pair(*frames, families=FAMILIES):
    return shared(frames, TASR, families, by_target=True)


def test_means_and_difference_are_those_of_the_tables():
    one, other = rows("one", 0), rows("other", 1, chance=0.3)
    found = pair(one, other)
    rates = success_rates(pd.concat([one, other], ignore_index=True), "in")
    expected = [
        overall_spread(family_spreads(rates, name, TASR, FAMILIES).values()).mean
        for name in ("one", "other")
    ]
    assert found.means == pytest.approx(expected)
    assert found.difference == pytest.approx(expected[0] - expected[1])
    assert found.effects.sum() == pytest.approx(found.difference)
    assert found.weights.tolist() == [0.25, 0.25, 0.5]
    assert (found.images, found.photographs, found.units) == (10, 5, 60)


def test_the_interval_is_that_of_photographs_drawn_by_hand():
    one, other = rows("one", 0), rows("other", 1, chance=0.3)
    drawn = pair(one, other).resampled()
    low, high = percentile_interval(drawn[:, 0] - drawn[:, 1])
    random = np.random.default_rng(9)
    both = shared_units([one, other], TASR, by_target=True)
    both["gap"] = both[0] - both[1]
    table = both.groupby(["photo_id", "victim"])["gap"].mean().unstack()[list(FAMILIES)]
    weights = np.array([1 / 4, 1 / 4, 1 / 2])
    by_hand = [
        float(table.to_numpy()[random.integers(5, size=5)].mean(axis=0) @ weights)
        for _ in range(4000)
    ]
    assert (low, high) == pytest.approx(tuple(np.quantile(by_hand, [0.025, 0.975])), abs=0.03)


def test_one_photograph_has_no_interval():
    alone = pair(rows("a", 0, photos=1), rows("b", 1, photos=1))
    assert alone.resampled() is None


def test_only_what_both_scored_is_compared():
    one, other = rows("one", 0), rows("other", 1)
    other = other[(other["image_id"] != "p0-t0") & (other["target"] != "c")]
    found = pair(one, other)
    assert (found.images, found.units) == (9, 27)
    kept = one[(one["image_id"] != "p0-t0") & (one["target"] != "c")]
    assert found.means[0] == pytest.approx(pair(kept, kept).means[0])
    assert pair(one, other[other["victim"] == "v9"]) is None
    assert pair(one, other, families={"v2": "wdf"}).units == 9


def test_an_untargeted_attack_meets_the_mean_over_an_images_targets():
    one, other = rows("one", 0), rows("jpeg", 1, targeted=False)
    both = shared_units([one, other], UASR, by_target=False)
    assert len(both) == len(other)
    expected = (one["predicted"] != "a").groupby([one["image_id"], one["victim"]]).mean()
    found = both.set_index(["image_id", "victim"])[0].sort_index()
    assert found.to_numpy() == pytest.approx(expected.sort_index().to_numpy())


def test_three_attacks_are_compared_on_what_all_have_with_the_same_draws():
    frames = [rows("a", 0), rows("b", 1, chance=0.3), rows("c", 2)]
    frames[2] = frames[2][frames[2]["image_id"] != "p0-t0"]
    found = pair(*frames)
    assert found.images == 9
    two = pair(*(frame[frame["image_id"] != "p0-t0"] for frame in frames[:2]))
    assert found.means[:2] == pytest.approx(two.means)
    assert found.pair(0, 1).effects == pytest.approx(two.effects)
    drawn = found.resampled()
    ends = np.quantile(drawn[:, 0] - drawn[:, 1], [0.025, 0.975])
    both = two.resampled()
    assert ends == pytest.approx(percentile_interval(both[:, 0] - both[:, 1]))
