import json
from pathlib import Path

import pytest

from bench.report.schema import entry_problems, row_problems, table_columns

RESULTS = Path(__file__).resolve().parents[2] / "results"


@pytest.mark.parametrize(
    "path",
    sorted(RESULTS.glob("*/entry-*.json")),
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_every_committed_entry_fits(path):
    assert entry_problems(json.loads(path.read_text())) == []


@pytest.fixture
def entry():
    return json.loads((RESULTS / "simcam-mini-v2" / "entry-mislgan.json").read_text())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda e: e["attack"].pop("digest"),
            "`attack.digest`: expected a text, is absent",
        ),
        (
            lambda e: e["attack"].update(targeted="yes"),
            '`attack.targeted`: expected true or false, found "yes"',
        ),
        (
            lambda e: e["victims"][2].update(classes=[]),
            "`victims[2].classes`: expected at least 1, is empty",
        ),
        (lambda e: e.update(schema=2), "`schema`: expected 1, found 2"),
        (
            lambda e: e["suite"].update(audit="fine"),
            '`suite.audit`: expected an object or null, found "fine"',
        ),
        (
            lambda e: e["lpips"].update(version=0.1),
            "`lpips.version`: expected a text, found 0.1",
        ),
    ],
)
def test_field_and_expectation_are_named(entry, change, problem):
    change(entry)
    assert entry_problems(entry) == [problem]


def test_further_fields_are_welcome(entry):
    entry["survival"] = {"jpeg": [70, 95]}
    entry["provenance"]["precision_of_victims"] = {"img-resnet18": "bf16"}
    assert entry_problems(entry) == []


def test_what_is_no_object():
    assert entry_problems([]) == ["the file: expected an object, found []"]


def test_rows_of_the_wrong_type_or_with_holes(frames):
    predictions, distortion = frames
    assert row_problems(predictions, "predictions") == []
    assert row_problems(distortion.assign(survival=1.0), "distortion") == []
    spoilt = predictions.assign(p_predicted="0.8", predicted=None, image_id=7)
    assert [text.split(", found")[0] for text in row_problems(spoilt, "predictions")] == [
        "column `image_id`: expected a text",
        "column `predicted`: expected no null",
        "column `p_predicted`: expected a number or null",
    ]


def test_columns_are_those_of_the_contract():
    assert {"victim_key", "p_target", "photo_id"} <= set(table_columns("predictions"))
    assert {"lpips", "psnr_db", "ssim"} <= set(table_columns("distortion"))
