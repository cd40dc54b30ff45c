import numpy as np
import pandas as pd
import pytest

from bench.runner.challenge.ids import Asked
from bench.runner.challenge.predictions import (
    best_challenge,
    check_predictions_table,
    read_table,
)
from bench.types import CamobenchError, WrongUsageError
from tests.toys import CLASSES

IDS = [f"c{number:016x}" for number in range(6)]
MAPPING = {one: Asked(image_id=one, attack="identity") for one in IDS}


def table(probabilities=False, **changes):
    frame = pd.DataFrame({"image": IDS, "predicted": [CLASSES[n % 3] for n in range(6)]})
    if probabilities:
        for place, name in enumerate(CLASSES):
            frame[name] = [0.7 if n % 3 == place else 0.15 for n in range(6)]
    return frame.assign(**changes)


@pytest.fixture(params=["csv", "parquet"])
def check(request, tmp_path):
    def call(frame):
        path = tmp_path / f"answer.{request.param}"
        if request.param == "csv":
            frame.to_csv(path, index=False)
        else:
            frame.to_parquet(path, index=False)
        return check_predictions_table(read_table(path, 6, CLASSES), MAPPING, CLASSES)

    return call


def kinds(answered):
    return {kind.name: examples for kind, examples in answered.problems.found.items()}


@pytest.mark.parametrize("probabilities", [True, False])
def test_a_complete_answer_has_no_problem(check, probabilities):
    answered = check(table(probabilities))
    assert kinds(answered) == {}
    assert answered.predicted == dict(zip(IDS, table()["predicted"], strict=True))
    if probabilities:
        assert answered.probabilities.shape == (6, 3)
        assert answered.probabilities.dtype == np.float32
    else:
        assert answered.probabilities is None


def test_probabilities_of_single_precision_come_back_to_the_last_bit(check):
    logits = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    values = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    frame = pd.DataFrame({"image": IDS, "predicted": [CLASSES[i] for i in values.argmax(1)]})
    for place, name in enumerate(CLASSES):
        frame[name] = values[:, place]
    answered = check(frame)
    assert kinds(answered) == {}
    np.testing.assert_array_equal(answered.probabilities, values)


def test_what_rounding_took_is_put_back(check):
    frame = table(probabilities=True)
    frame.loc[0, list(CLASSES)] = [0.7003, 0.15, 0.15]
    answered = check(frame)
    assert kinds(answered) == {}
    np.testing.assert_allclose(answered.probabilities.sum(1), 1, atol=1e-6)


def test_names_of_files_are_ids_too(check):
    answered = check(table(image=[f"{one}.png" for one in IDS]))
    assert list(answered.predicted) == IDS


def test_missing_rows_are_named_and_leave_the_others(check):
    answered = check(table().iloc[2:])
    assert kinds(answered) == {"image missing": IDS[:2]}
    assert len(answered.predicted) == 4
    assert answered.summary == "4 of 6 images, without probabilities"


def test_all_problems_are_reported_not_the_first(check):
    frame = table(probabilities=True)
    frame.loc[0, "image"] = "cam-a"
    frame.loc[1, "image"] = IDS[2]
    frame.loc[3, "predicted"] = "cam-z"
    frame.loc[3, list(CLASSES)] = [0.2, 0.5, 0.2]
    frame.loc[4, list(CLASSES)] = [0.1, 1.2, -0.3]
    frame.loc[5, list(CLASSES)] = [0.5, 0.2, 0.3]
    assert kinds(check(frame)) == {
        "no such image": ["cam-a"],
        "image there twice": [IDS[2]],
        "no such class": [f"{IDS[3]}: cam-z, did you mean cam-c?"],
        "probability outside [0, 1]": [IDS[4]],
        "probabilities do not sum to 1": [f"{IDS[3]}: 0.9"],
        "predicted is not the most probable": [f"{IDS[5]}: cam-c, not cam-a"],
        "image missing": IDS[:2],
    }


def test_a_label_that_is_empty_or_a_number_is_no_class(check):
    frame = table(predicted=["", "0", "null", *CLASSES])
    examples = kinds(check(frame))["no such class"]
    assert examples == [f"{IDS[0]}: nothing", f"{IDS[1]}: 0", f"{IDS[2]}: null"]


def test_a_probability_that_is_none_is_named(check):
    frame = table(probabilities=True)
    frame.loc[2, "cam-b"] = np.nan
    assert kinds(check(frame)) == {"probability is no number": [IDS[2]]}


def test_columns_that_are_missing_or_too_many_are_named(check):
    frame = table(probabilities=True).rename(columns={"cam-c": "cam-cc", "predicted": "label"})
    found = kinds(check(frame))
    assert found["column missing"] == ["predicted"]
    assert found["probability column missing"] == ["cam-c"]
    assert found["surplus column"] == ["label", "cam-cc, did you mean cam-c?"]


def test_columns_in_other_letters_are_told(check):
    frame = table().rename(columns={"image": "Image"})
    assert kinds(check(frame))["column missing"] == ["image; rename Image"]


def test_the_challenge_is_the_one_that_the_ids_are_of():
    other = {f"c{number:016x}": Asked(image_id="x") for number in range(5, 9)}
    frame = table()
    assert best_challenge(frame, {"one": MAPPING, "two": other}) == "one"
    assert best_challenge(frame, {"two": other}) == "two"
    assert best_challenge(frame.iloc[:3], {"two": other}) is None
    assert best_challenge(frame.drop(columns="image"), {"one": MAPPING}) is None
    assert best_challenge(frame, {}) is None


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b'image,predicted\n"c0', "cannot be read"),
        ("a.csv", b"image,predicted\nc\xff\xfe,cam-a\n", "cannot be read"),
        ("a.csv", b"image,predicted,image\nc0,cam-a,c1\n", "column 'image' is there twice"),
        ("a.csv", b"", "cannot be read: No columns"),
        ("a.csv", b"image;predicted\nc;cam-a\n", "separated by semicolons, expected commas"),
        ("a.csv", b"x" * 3_000_000, "has 3000000 bytes, one row an image takes"),
        ("a.csv", b"image,predicted\n" + b"c0,cam-a\n" * 2000, "it has more than 1012 rows"),
        ("a.parquet", b"PAR1 and then nothing", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_an_answer(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(CamobenchError, match=message):
        read_table(tmp_path / name, 6, CLASSES)


def test_a_small_parquet_file_of_endless_rows_is_not_read(tmp_path):
    path = tmp_path / "bomb.parquet"
    same = np.zeros(5_000_000, np.int8)
    pd.DataFrame({"image": same, "predicted": same}).to_parquet(path, compression="zstd")
    assert path.stat().st_size < 50_000
    with pytest.raises(CamobenchError, match="it says that it has 5000000 rows"):
        read_table(path, 6, CLASSES)


def test_a_long_text_in_a_small_dictionary_is_not_laid_out(tmp_path):
    path = tmp_path / "bomb.parquet"
    same = ["x" * 100_000] * 1000
    pd.DataFrame({"image": same, "predicted": same}).to_parquet(path, compression="zstd")
    with pytest.raises(CamobenchError, match="column 'image' has 100000000 bytes of text"):
        read_table(path, 6, CLASSES)


def test_surplus_columns_are_not_read(tmp_path):
    path = tmp_path / "answer.parquet"
    nested = [[{"a": 1}]] * 6
    table().assign(nested=nested, text=["x" * 10_000_000] * 6).to_parquet(path)
    read = read_table(path, 6, CLASSES)
    assert list(read) == ["image", "predicted", "nested", "text"]
    assert read[["nested", "text"]].isna().all(axis=None)


def test_a_column_that_is_neither_text_nor_number(tmp_path):
    path = tmp_path / "answer.parquet"
    table().assign(predicted=[[1]] * 6).to_parquet(path)
    with pytest.raises(CamobenchError, match=r"column 'predicted' has type list<.*, not text"):
        read_table(path, 6, CLASSES)


def test_neither_csv_nor_parquet(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"PK\3\4")
    with pytest.raises(WrongUsageError, match="neither CSV nor Parquet"):
        read_table(tmp_path / "a.xlsx", 6, CLASSES)
