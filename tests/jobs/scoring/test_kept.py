import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from bench.jobs.scoring.items import Item
from bench.jobs.scoring.kept import KeptImages, Recorder
from bench.types import CamobenchError
from tests.smoke import flip
from tests.toys import pixels

ITEMS = [Item(index=4, target=1), Item(index=4, target=0), Item(index=7, target=2)]


class Negative:
    """Wraps around on both sides of 0 and 255."""

    targeted = True

    def has(self, item):
        return item.index != 9

    def anonymise(self, items, originals):
        shift = torch.tensor([10 * item.target for item in items], dtype=torch.uint8)
        return 255 - originals + shift[:, None, None, None]


@pytest.fixture
def kept(tmp_path):
    recorder = Recorder(Negative())
    originals = pixels(3, 16, 24)
    made = recorder.anonymise(ITEMS, originals)
    path = tmp_path / "images" / "00000.parquet"
    recorder.write(path, {"commit": "abc"})
    return path, originals, made


def test_images_come_back_to_the_bit_in_any_order(kept):
    path, originals, made = kept
    source = KeptImages(path, targeted=True)
    order = [2, 0, 1]
    again = source.anonymise([ITEMS[i] for i in order], originals[order])
    assert torch.equal(again, made[order])
    assert all(source.has(item) for item in ITEMS)
    assert not source.has(Item(index=4, target=2))
    assert source.made_by == {"commit": "abc"}
    assert torch.equal(made, Negative().anonymise(ITEMS, originals))  # the recorder changes nothing
    assert not Recorder(Negative()).has(Item(index=9, target=0))


def test_what_is_asked_for_again_is_kept_as_it_was_first(tmp_path):
    class Restless(Negative):
        def __init__(self):
            self.calls = 0

        def anonymise(self, items, originals):
            self.calls += 1
            return originals + self.calls

    recorder, originals = Recorder(Restless()), pixels(3, 16, 24)
    first = recorder.anonymise(ITEMS, originals)
    recorder.anonymise(ITEMS[:1], originals[:1])
    recorder.write(tmp_path / "kept.parquet", {})
    again = KeptImages(tmp_path / "kept.parquet", targeted=True).anonymise(ITEMS, originals)
    assert torch.equal(again, first)


def renamed(path):
    """Other images under the names."""
    table = pq.read_table(path)
    turned = pa.array(table["target"].to_pylist()[::-1], pa.int32())
    pq.write_table(table.set_column(table.column_names.index("target"), "target", turned), path)


@pytest.mark.parametrize("damage", [flip, renamed, lambda path: path.write_bytes(b"no table")])
def test_damage_is_named(kept, damage):
    damage(kept[0])
    with pytest.raises(CamobenchError, match=r"00000.parquet is damaged .*; remove"):
        KeptImages(kept[0], targeted=True)
