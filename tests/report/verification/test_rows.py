"""Whole rows, and claims of partial ones that no scorer makes."""

import pandas as pd
import pytest

from bench.report.verification.rows import row_verdicts
from bench.verdicts import failed
from tests.conftest import ATTACKS, make_entry


def judged(frames, change=lambda entry: None):
    entries = [make_entry(name) for name in ATTACKS]
    for entry in entries:
        change(entry)
    return {one.check: one for one in row_verdicts(*frames, entries, whole=True)}


def thinned(frames):
    """Without the answers of one victim to one image."""
    predictions, distortion = frames
    gone = (predictions["victim"] == "img-resnet18") & (predictions["image_id"] == "cam-a-p0-t0")
    return (predictions[~gone], distortion), int(gone.sum())


def test_whole_rows_have_no_problem(frames):
    assert failed(judged(frames).values()) == []


def test_a_network_cannot_be_partial(frames):
    """Who declares a hard victim partial would take it out of every mean."""

    def claim(entry):
        entry["victims"][3]["coverage"] = {"scored": 407, "wanted": 408}

    found = judged(frames, claim)
    assert failed(found.values()) == ["coverage of img-resnet18"]
    assert "only images or predictions made elsewhere can be" in (
        found["coverage of img-resnet18"].finding
    )


def test_an_attack_that_was_not_sent_cannot_be_partial(frames):
    def claim(entry):
        if entry["attack"]["name"] == "mislgan":
            entry["attack"]["coverage"] = {"scored": 95, "wanted": 96}

    assert "coverage of mislgan" in failed(judged(frames, claim).values())


@pytest.mark.parametrize(("lie", "wrong"), [(0, []), (1, ["coverage of img-resnet18"])])
def test_sent_predictions_lack_what_their_entry_says(frames, lie, wrong):
    found, gone = thinned(frames)

    def claim(entry):
        coverage = {"scored": 408 - gone + lie, "wanted": 408}
        entry["victims"][3] |= {"coverage": coverage, "predictions_sha256": "0"}

    assert failed(judged(found, claim).values()) == wrong


def test_a_missing_row_is_named_without_a_claim(frames):
    found, _ = thinned(frames)
    assert "1 row missing on img-resnet18: cam-a-p0-t0" in (
        judged(found)["predictions of identity"].finding
    )


def test_an_image_that_only_distortions_have(frames):
    predictions, distortion = frames
    more = distortion.tail(1).assign(image_id="nosuch", photo_id="nosuch")
    found = judged((predictions, pd.concat([distortion, more])))
    assert failed(found.values())
