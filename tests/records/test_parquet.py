from contextlib import suppress

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.records.parquet import read_columns, require_unique, write_frame

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
    return tmp_path / "table.parquet"


@pytest.mark.parametrize("index", [None, "name"])
def test_columns_come_back_as_pandas_reads_them(path, index):
    (FRAME.set_index(index) if index else FRAME).to_parquet(path)
    frame, names = read_columns(path, ("value", "name", "target", "kind", "absent"))
    assert set(names) == set(FRAME)
    read = [name for name in FRAME if name != "count"]
    plain = FRAME[read].astype({"kind": "str"})
    pd.testing.assert_frame_equal(frame[read], plain, check_dtype=False)


def test_a_number_of_which_a_bit_has_flipped_is_not_read(path):
    write_frame(path, FRAME)
    data = bytearray(path.read_bytes())
    data[data.index(np.float32(0.5).tobytes())] ^= 1
    path.write_bytes(data)
    with pytest.raises(OSError, match="CRC"):
        read_columns(path, ("value",))


@pytest.mark.parametrize("at", range(4, 20))
def test_whatever_is_wrong_in_the_header_of_a_page_is_told(path, at):
    write_frame(path, FRAME)
    whole, data = read_columns(path, ("name",)), path.read_bytes()
    for bit in range(8):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])
        with suppress(OSError, ValueError):
            pd.testing.assert_frame_equal(read_columns(path, ("name",))[0], whole[0])


@pytest.mark.parametrize("said", [b'{"columns": [{"numpy_type": 7}]}', b"x"])
def test_what_the_file_says_of_pandas_is_not_read(path, said):
    table = pa.table({"name": ["a", "b"]}).replace_schema_metadata({b"pandas": said})
    pq.write_table(table, path)
    assert list(read_columns(path, ("name",))[0]["name"]) == ["a", "b"]


def test_row_groups_that_do_not_add_up(path):
    FRAME.to_parquet(path)
    # Of the footer, in Thrift's compact form: field 3, an i64; field 4, a list of structs.
    three, two = b"\x16\x06\x19\x1c", b"\x16\x04\x19\x1c"
    assert path.read_bytes().count(three) == 1
    path.write_bytes(path.read_bytes().replace(three, two))
    with pytest.raises(ValueError, match="another number of rows"):
        read_columns(path, ("name",))


def test_a_name_twice():
    require_unique(["a", "b"])
    with pytest.raises(ValueError, match="column 'b' is there twice"):
        require_unique(["a", "b", "c", "b"])
