import numpy as np
import pandas as pd
import pytest

from bench.metrics.paired import shared
from bench.metrics.resampling import photograph_draws
from bench.metrics.success import TASR
from bench.metrics.survival import survived

FAMILIES = {"v1": "one", "v2": "one", "v3": "other"}


def rows(hits):
    """Predictions of one attack; `hits` maps (photograph, victim) to whether it succeeded."""
    return pd.DataFrame(
        [
            {
                "photo_id": photo,
                "image_id": f"{photo}-tile",
                "victim": victim,
                "source": "cam-a",
                "target": "cam-b",
                "predicted": "cam-b" if hit else "cam-a",
            }
            for (photo, victim), hit in hits.items()
        ]
    )


def both(before, after):
    return shared([rows(before), rows(after)], TASR, FAMILIES, by_target=True)


def frames(seed=0, photographs=12):
    random = np.random.default_rng(seed)
    units = [(f"p{p:02d}", victim) for p in range(photographs) for victim in FAMILIES]
    before = {unit: random.random() < 0.8 for unit in units}
    after = {unit: hit and random.random() < 0.6 for unit, hit in before.items()}
    return before, after


def mean(hits):
    def rate(victim):
        return np.mean([hit for (_, v), hit in hits.items() if v == victim])

    return ((rate("v1") + rate("v2")) / 2 + rate("v3")) / 2


def test_success_before_and_after_and_what_is_left():
    before, after = frames()
    found = survived(both(before, after))
    assert found.before == pytest.approx(mean(before))
    assert found.after == pytest.approx(mean(after))
    assert found.left == pytest.approx(mean(after) / mean(before))
    assert found.images == 12


def test_intervals_are_those_of_drawn_photographs():
    before, after = frames()
    found = survived(both(before, after), replicates=200, seed=3)
    names = sorted({photo for photo, _ in before})
    draws = photograph_draws(len(names), replicates=200, seed=3)

    def drawn(hits, draw):
        return mean({(f"{p}-{k}", v): h for (p, v), h in hits.items() for k in range(draw[p])})

    pairs = []
    for draw in draws:
        often = dict(zip(names, draw, strict=True))
        pairs.append((drawn(before, often), drawn(after, often)))
    first, second = np.array(pairs).T
    for interval, values in (
        (found.before_interval, first),
        (found.after_interval, second),
        (found.left_interval, second / first),
    ):
        assert interval == pytest.approx(np.quantile(values, [0.025, 0.975]))


def test_nothing_before_leaves_nothing_to_survive():
    before, after = frames()
    none = dict.fromkeys(before, False)
    found = survived(both(none, after))
    assert (found.before, found.left, found.left_interval) == (0, None, None)
    assert found.after_interval is not None
