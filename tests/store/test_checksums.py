import pytest

from bench.store.checksums import is_as_written, keep_checksum, require_as_written
from bench.types import CamobenchError


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "rows.parquet"
    path.write_bytes(bytes(range(200)))
    keep_checksum(path)
    return path


@pytest.mark.parametrize(
    ("damaged", "at", "bit"),
    [("rows.parquet", 0, 1), ("rows.parquet", 199, 1), ("rows.parquet.sha256", 9, 128)],
)
def test_a_flipped_bit_is_found(path, damaged, at, bit):
    content = bytearray(path.with_name(damaged).read_bytes())
    assert is_as_written(path)
    content[at] ^= bit
    path.with_name(damaged).write_bytes(content)
    assert not is_as_written(path)
    with pytest.raises(CamobenchError, match=r"rows.parquet is damaged .*; remove .*/set, and the"):
        require_as_written(path, path.parent / "set")


def test_a_file_without_its_checksum_and_one_without_its_file_are_damaged(path):
    path.rename(path.with_name("moved"))
    assert not is_as_written(path)
    assert not is_as_written(path.with_name("moved"))


def test_a_checksum_of_what_is_still_to_be_renamed(path):
    new = path.with_name("new")
    new.write_bytes(b"new")
    keep_checksum(path, new)
    assert not is_as_written(path)
    new.replace(path)
    assert is_as_written(path)
