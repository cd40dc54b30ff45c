import numpy as np
import pandas as pd
import pytest

from bench.challenge.prediction_checks import check_predictions, read_table
from bench.types import CamobenchError
from tests.toys import CLASSES

IDS = [f"c{number:016x}" for number in range(6)]


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
        return check_predictions(read_table(path, CLASSES), IDS, CLASSES)

    return call


def kinds(checked):
    return {kind.name: examples for kind, examples in checked.findings.found.items()}


def test_labels_alone_under_the_names_of_files(check):
    checked = check(table(image=[f"{one}.png" for one in IDS]))
    assert kinds(checked) == {}
    said = list(enumerate(table()["predicted"]))
    assert checked.predicted == dict(zip(IDS, said, strict=True))
    assert checked.probabilities is None


def test_probabilities_of_single_precision_come_back_to_the_last_bit(check):
    logits = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    values = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = [CLASSES[i] for i in values.argmax(1)]
    columns = dict(zip(CLASSES, values.T, strict=True))
    checked = check(pd.DataFrame({"image": IDS, "predicted": labels, **columns}))
    assert kinds(checked) == {}
    np.testing.assert_array_equal(checked.probabilities, values)


def test_what_rounding_took_is_put_back(check):
    frame = table(probabilities=True)
    frame.loc[0, list(CLASSES)] = [0.7003, 0.15, 0.15]
    checked = check(frame)
    assert kinds(checked) == {}
    np.testing.assert_allclose(checked.probabilities.sum(1), 1, atol=1e-6)


def test_logarithms_are_no_probabilities_and_no_more_is_said(check):
    frame = table(probabilities=True)
    frame[list(CLASSES)] = np.log(frame[list(CLASSES)])
    assert set(kinds(check(frame))) == {"probability outside [0, 1]"}


def test_missing_rows_are_named_and_refuse_the_others(check):
    checked = check(table().iloc[2:])
    assert checked.findings.of("error") == {"image missing": IDS[:2]}
    assert checked.summary == "4 of 6 images, without probabilities"


def test_a_label_that_is_missing_is_no_class(check):
    checked = check(table(predicted=None))
    assert set(kinds(checked)) == {"no such class"}


@pytest.mark.parametrize(
    ("row", "found"), [("{},cam-a,", set()), ("7,{},cam-a", {"no such image"})]
)
def test_surplus_fields_move_no_column(tmp_path, row, found):
    path = tmp_path / "answer.csv"
    path.write_text("image,predicted\n" + "".join(row.format(one) + "\n" for one in IDS))
    checked = check_predictions(read_table(path, CLASSES), IDS, CLASSES)
    assert {"no such image"} & set(kinds(checked)) == found


def test_all_findings_are_reported_not_the_first(check):
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
        "no such class": [f"{IDS[3]}: cam-z"],
        "probability outside [0, 1]": [IDS[4]],
        "probabilities do not sum to 1": [f"{IDS[3]}: 0.9"],
        "predicted is not the most probable": [f"{IDS[5]}: cam-c, not cam-a"],
        "image missing": IDS[:2],
    }


def test_what_is_no_class_or_no_number_is_named(check):
    frame = table(probabilities=True, predicted=["", "0", "null", *CLASSES])
    frame.loc[4, "cam-b"] = np.nan
    found = kinds(check(frame))
    assert found["no such class"] == [f"{IDS[0]}: nothing", f"{IDS[1]}: 0", f"{IDS[2]}: null"]
    assert found["probability is no number"] == [IDS[4]]


def test_columns_that_are_missing_or_too_many_are_named(check):
    names = {"cam-c": "cam-cc", "predicted": "label", "image": "Image"}
    found = kinds(check(table(probabilities=True).rename(columns=names)))
    assert found["column missing"] == ["image", "predicted"]
    assert found["probability column missing"] == ["cam-c"]
    assert found["surplus column"] == ["Image", "label", "cam-cc"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'image,predicted\n"c0', "cannot be read"),
        (b"image,predicted\nc\xff\xfe,cam-a\n", "cannot be read"),
        (b"image,predicted,image\nc0,cam-a,c1\n", "column 'image' is there twice"),
        (b"", "cannot be read: No columns"),
        (b"PAR1 and then nothing", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_an_answer_is_not_read(tmp_path, data, message):
    path = tmp_path / "answer.csv"
    path.write_bytes(data)
    with pytest.raises(CamobenchError, match=message):
        read_table(path, CLASSES)


def test_surplus_columns_are_not_read(tmp_path):
    path, nested = tmp_path / "answer.parquet", [[{"a": 1}]] * 6
    table().assign(nested=nested, text=["x" * 10_000_000] * 6).to_parquet(path)
    read = read_table(path, CLASSES)
    assert list(read) == ["image", "predicted", "nested", "text"]
    assert read[["nested", "text"]].isna().all(axis=None)
