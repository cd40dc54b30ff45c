import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.records.load import read_parquet
from bench.records.parquet import read_limited, require_unique

FRAME = pd.DataFrame(
    {
        "name": ["a", "b", "a"],
        "target": pd.array(["x", None, "y"], dtype="string"),
        "kind": pd.Categorical(["u", "v", "u"]),
        "value": np.array([0.5, np.nan, 1.0], np.float32),
        "count": [1, 2, 3],
    }
)


@pytest.fixture
def path(tmp_path):
    FRAME.to_parquet(tmp_path / "table.parquet", index=False)
    return tmp_path / "table.parquet"


def test_columns_come_back_as_pandas_reads_them(path):
    frame, names = read_limited(path, tuple(FRAME), rows=3)
    pd.testing.assert_frame_equal(frame, pd.read_parquet(path), check_dtype=False)
    assert names == list(FRAME)


def test_other_columns_are_only_named(path):
    frame, names = read_limited(path, ("value", "name", "absent"), rows=3)
    assert (set(frame), names) == ({"value", "name"}, list(FRAME))


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"rows": 2}, "it says that it has 3 rows, expected 2 at most"),
        ({"rows": 3, "columns": 4}, "it says that it has 5 columns, expected 4 at most"),
    ],
)
def test_what_the_footer_says_is_limited(path, limits, message):
    with pytest.raises(ValueError, match=message):
        read_limited(path, tuple(FRAME), **limits)


def test_more_bytes_than_rows_could_have_are_not_read(tmp_path):
    path = tmp_path / "plain.parquet"
    table = pa.table({"name": ["x" * 2_000_000]})
    pq.write_table(table, path, use_dictionary=False, compression="zstd")
    with pytest.raises(ValueError, match=r"it says that it has \d+ bytes, expected"):
        read_limited(path, ("name",), rows=10)


@pytest.mark.parametrize("kind", ["text", "categorical"])
def test_a_text_of_a_dictionary_counts_in_every_cell(tmp_path, kind):
    path, texts = tmp_path / "bomb.parquet", ["x" * 100_000] * 10_000
    values = pd.Categorical(texts) if kind == "categorical" else texts
    pd.DataFrame({"name": values}).to_parquet(path)
    with pytest.raises(ValueError, match="column 'name' has 1000000000 bytes of text"):
        read_limited(path, ("name",), rows=10_000)


def test_a_run_is_read_with_limits_too(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.records.load.MOST_ROWS", 1000)
    path = tmp_path / "predictions.parquet"
    pd.DataFrame({"name": ["a"] * 1001}).to_parquet(path)
    with pytest.raises(ValueError, match=r"is not readable Parquet \(it says that it has 1001"):
        read_parquet(path, ("name",))


def test_what_is_no_parquet_file(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(ValueError, match="Parquet"):
        read_limited(tmp_path / "x.parquet", ("name",), rows=3)


def test_a_name_twice():
    require_unique(["a", "b"])
    with pytest.raises(ValueError, match="column 'b' is there twice"):
        require_unique(["a", "b", "c", "b"])


@pytest.mark.parametrize("said", [b"{}", b"[]", b'{"columns": [{"numpy_type": 7}]}', b"x"])
def test_what_the_file_says_of_pandas_is_not_read(tmp_path, said):
    path = tmp_path / "odd.parquet"
    table = pa.table({"name": ["a", "b"]}).replace_schema_metadata({b"pandas": said})
    pq.write_table(table, path)
    frame, _ = read_limited(path, ("name",), rows=10)
    assert list(frame["name"]) == ["a", "b"]


def test_an_index_is_a_column_like_any_other(tmp_path):
    FRAME.set_index("name").to_parquet(tmp_path / "table.parquet")
    frame, _ = read_limited(tmp_path / "table.parquet", ("name", "count"), rows=10)
    assert list(frame["name"]) == list(FRAME["name"])
