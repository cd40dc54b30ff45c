"""`victims.json` says what the checkpoints' cards say, and costs nothing the second time."""

import json

import pytest

from bench.plan.results import cards
from bench.plan.results.cards import CURVE_POINTS, thinned, training, write_network_cards
from bench.store import open_checkpoint
from tests.smoke import VICTIMS, matrix_of


def test_a_run_writes_its_victims(smoke):
    content = json.loads((smoke.out / "victims.json").read_text())
    assert (content["schema"], content["image_px"]) == (1, 64)
    matrix = matrix_of(smoke.store, attacks=["identity"])
    assert [victim["name"] for victim in content["victims"]] == list(VICTIMS)
    for victim in content["victims"]:
        key = matrix.graph.victims[victim["name"]]
        card = matrix.shelf.find("victim", victim["name"], key).card
        assert victim["key"] == key[:16]
        made = victim["training"]
        assert made["weights_sha256"] == card["weights_sha256"]
        assert made["figures"] == card["figures"]
        assert made["hyperparameters"] == card["hyperparameters"]
        assert made["provenance"] == card["provenance"]
        assert made["validation_of"] == "the stored weights"
        assert made["curves"]["loss"][-1][0] == 2
        assert victim["parameters"] > 0
        assert (victim["frontend_flops_per_image"] > 0) == victim["name"].startswith("wdf")


def test_counts_are_kept(smoke_copy, tmp_path, monkeypatch):
    def twice(*args):
        raise AssertionError("counted again")

    monkeypatch.setattr(cards, "count", twice)
    write_network_cards(tmp_path, matrix_of(smoke_copy.store, attacks=["identity"]))
    assert (tmp_path / "victims.json").read_bytes() == (
        smoke_copy.out / "victims.json"
    ).read_bytes()
    for kept in (smoke_copy.store.root / "counts").iterdir():
        kept.unlink()
    with pytest.raises(AssertionError, match="counted again"):
        write_network_cards(tmp_path, matrix_of(smoke_copy.store, attacks=["identity"]))


@pytest.mark.parametrize("length", [1, 30, 60, 61, 1850])
def test_curves_are_thinned_by_averaging(length):
    curve = [[20 * (i + 1), float(i % 2)] for i in range(length)]
    short = thinned(curve)
    assert len(short) == min(length, CURVE_POINTS)
    assert short[-1][0] == 20 * length
    steps = [step for step, _ in short]
    assert steps == sorted(set(steps))
    if length == 1850:
        assert all(0.4 < value < 0.6 for _, value in short)


def test_values_are_rounded_to_four_digits():
    assert thinned([[20, 1.0574849], [40, 0.00012345678]]) == [[20, 1.057], [40, 0.0001235]]
    assert thinned([]) == []


@pytest.mark.parametrize(
    ("compact", "expected"),
    [(True, "the weights before they were rounded for storage"), (False, "the stored weights")],
)
def test_older_cards_lack_some(tmp_path, compact, expected):
    card = {"seconds": 1.0, "figures": {}, "curves": {}, "weights_sha256": "ab"}
    (tmp_path / "card.json").write_text(json.dumps(card))
    made = training(open_checkpoint(tmp_path), compact)
    assert made["validation_of"] == expected
    assert made["hyperparameters"] is made["provenance"] is None
