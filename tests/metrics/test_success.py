"""Against scikit-learn, hand-computed values, and the paper's own tables."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix

from bench.metrics.clean import share, shares_by
from bench.metrics.distortion import mean_distortion, unchanged_images
from bench.metrics.success import (
    TASR,
    UASR,
    Spread,
    clean_rows,
    confusion,
    family_spreads,
    overall_spread,
    spread,
    success_rates,
)
from bench.records.participants import FAMILIES
from bench.report.tables.published import published_rows
from tests.toy_run import CLASSES, VICTIMS

FAMILY_OF = {name: family for name, family, _ in VICTIMS}


def test_rates_agree_with_scikit_learn(frames):
    predictions = frames[0]
    rates = success_rates(predictions, "in").set_index(["attack", "victim"])
    for (attack, victim), group in predictions[predictions["split"] == "in"].groupby(
        ["attack", "victim"]
    ):
        wrong = 1 - accuracy_score(group["source"], group["predicted"])
        assert rates.loc[(attack, victim), "uasr"] == pytest.approx(wrong)
        if group["target"].notna().all():
            hit = accuracy_score(group["target"], group["predicted"])
            assert rates.loc[(attack, victim), "tasr"] == pytest.approx(hit)


def test_what_is_undefined_is_nan_and_never_averaged(frames):
    outside = success_rates(frames[0], "out")
    assert outside["uasr"].isna().all()
    untargeted = outside["attack"].isin(["identity", "jpeg-q85", "prnu_removal&[co]"])
    assert outside.loc[untargeted, "tasr"].isna().all()
    assert outside.loc[~untargeted, "tasr"].notna().all()
    assert set(family_spreads(outside, "mislgan", UASR, FAMILY_OF).values()) == {None}
    inside = success_rates(frames[0], "in")
    inside.loc[inside["victim"] == "img-resnet18", "tasr"] = float("nan")
    with pytest.raises(ValueError, match="expected defined values"):
        family_spreads(inside, "mislgan", TASR, FAMILY_OF)
    rows = frames[0].copy()
    rows.loc[rows.index[rows["attack"] == "mislgan"][0], "target"] = None
    with pytest.raises(ValueError, match="'mislgan' has both targeted and untargeted rows"):
        success_rates(rows, "in")


def test_family_cells_and_overall_mean_by_hand():
    rates = pd.DataFrame(
        {"attack": "a", "victim": ["w1", "w2", "p1"], "tasr": [0.5, 0.7, 0.9], "uasr": 1.0}
    )
    families = {"w1": "wdf", "w2": "wdf", "p1": "pef"}
    cells = family_spreads(rates, "a", TASR, families)
    assert cells["wdf"].mean == pytest.approx(0.6)
    assert cells["wdf"].std == pytest.approx(np.sqrt(0.02))
    assert cells["pef"] == Spread(mean=0.9, std=None, n=1)
    overall = overall_spread(cells.values())
    assert overall.mean == pytest.approx(0.75)
    assert overall.std == pytest.approx(np.std([0.6, 0.9], ddof=1))
    unscored = family_spreads(rates, "a", TASR, families | {"i1": "img"})
    assert unscored["img"] is None
    assert overall_spread(unscored.values()) is None


@pytest.mark.parametrize("split", ["in", "out"])
def test_mean_of_family_means_reproduces_the_printed_tasr_means(split):
    table = published_rows(split)
    assert len(table) == 8
    for row in table.values():
        ours = spread([row[f"tasr_{family}_percent"] for family in FAMILIES])
        assert abs(ours.mean - row["tasr_mean_percent"]) <= 1
        assert abs(ours.std - row["tasr_mean_std_percent"]) <= 1


def test_clean_accuracy_agrees_with_scikit_learn(frames):
    for _, group in clean_rows(frames[0]).groupby("victim"):
        said = (group["source"], group["predicted"])
        assert share("all", group).accuracy == pytest.approx(accuracy_score(*said))
        matrix = confusion_matrix(*said, labels=CLASSES, normalize="true")
        recalls = [one.accuracy for one in shares_by(group[::-1], "source")]
        np.testing.assert_allclose(recalls, np.diag(matrix))


@pytest.mark.parametrize("by", ["source", "target"])
def test_confusion_agrees_with_scikit_learn(frames, by):
    chosen = frames[0][(frames[0]["split"] == "in") & (frames[0]["attack"] == "mislgan")]
    ours = confusion(chosen, by, CLASSES)
    theirs = confusion_matrix(chosen[by], chosen["predicted"], labels=CLASSES, normalize="true")
    np.testing.assert_allclose(ours.to_numpy(), theirs)


def test_distortion_means():
    table = pd.DataFrame(
        {
            "attack": ["a", "a", "b", "b", "c"],
            "image_id": ["1", "2", "1", "2", "1"],
            "lpips": [0.1, 0.3, 0.1, 0.1, 0.0],
            "psnr_db": [30.0, 32.0, 40.0, np.inf, np.inf],
            "ssim": [0.9, 1.0, 0.9, 1.0, 1.0],
        }
    )
    by_attack = dict(iter(table.groupby("attack")))
    expected = {"a": (0.2, 31.0, 0.95), "b": (0.1, 40.0, 0.95), "c": (0.0, np.inf, 1.0)}
    for name, rows in by_attack.items():
        assert [*mean_distortion(rows).values()] == pytest.approx(expected[name])
    assert [unchanged_images(rows) for rows in by_attack.values()] == [0, 1, 1]
    assert unchanged_images(table[:0]) == 0
    assert set(mean_distortion(table[:0]).values()) == {None}
    with pytest.raises(ValueError, match=r"`lpips` is NaN"):
        mean_distortion(table.assign(lpips=np.nan))
    with pytest.raises(ValueError, match=r"`ssim` is NaN for attack 'a', image '2'"):
        mean_distortion(table.assign(ssim=[1, np.nan, 1, 1, 1]))
