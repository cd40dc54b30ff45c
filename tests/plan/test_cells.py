import pandas as pd
import pytest
import torch

from bench.jobs.scoring.condition import PLAIN
from bench.jobs.scoring.rows import RowFolder, read_record, read_rows, write_rows
from bench.plan import cells
from bench.plan.cells import Cells, row_key
from bench.types import CamobenchError
from tests.smoke import ATTACKS, flip, matrix_of


def test_rows_depend_on_all_that_is_behind_them(smoke, monkeypatch):
    networks = matrix_of(smoke.store).networks
    keys = {name: row_key(networks, name) for name in ATTACKS}
    assert len(set(keys.values())) == 3
    for thing, name, value in (
        (networks, "device", torch.device("meta")),
        (networks, "set_c", "0" * 64),  # made anew, with other pixels
        (cells, "SCORER_VERSION", 1),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(thing, name, value)
            assert row_key(networks, "jpeg") != keys["jpeg"]
    assert row_key(networks, "jpeg") == keys["jpeg"]


@pytest.fixture
def row(tmp_path):
    return RowFolder(tmp_path)


RECORD = {"by": {"created": "2026-01-01"}, "at": 1.0, "seconds": 2.0, "suspicions": []}


def keep(row, stem, *labels, shard=0, **record):
    write_rows(row.file(stem, shard), pd.DataFrame({"predicted": labels}), RECORD | record)


def test_a_file_is_rows_and_who_made_them(row):
    keep(row, "stem", "a", "b", shard=1)
    assert (row.has("stem", [1]), row.has("stem", [0, 1]), row.has("other", [1])) == (1, 0, 0)
    assert list(read_rows(row.files("stem"))["predicted"]) == ["a", "b"]
    assert read_record(row.file("stem", 1)) == RECORD
    keep(row, "stem", "c")
    assert list(read_rows(row.files("stem"))["predicted"]) == ["c", "a", "b"]


def test_rows_with_a_flipped_bit_are_refused(row):
    keep(row, "one", "a", "b")
    flip(row.file("one", 0))
    with pytest.raises(CamobenchError, match=r"00000.parquet is damaged .*; remove .*makes it an"):
        read_rows(row.files("one"))


def test_time_is_that_of_all_jobs_and_every_run_is_named(row):
    later = {"created": "2026-01-02"}
    for stem in ("one", "two"):  # a job writes the files of all its victims
        keep(row, stem, "a")
        keep(row, stem, "b", shard=1, at=2.0, seconds=5.0, by=later)
    cells = Cells(attack="jpeg", suite="toy-v1", images=[], condition=PLAIN, row=row)
    cells.victims = {"x": "one", "y": "two"}
    last = later | {"wall_time_s": 7.0, "also_scored_by": [RECORD["by"]]}
    assert cells.provenance() == last
    plain = Cells(attack="jpeg", suite="toy-v1", images=[], condition=PLAIN)
    assert plain.provenance([cells]) == last


def test_rows_of_photographs_whose_folder_was_moved_have_its_new_name(row):
    rows = pd.DataFrame({"suite": ["folder-before"], "image_id": ["a"]})
    write_rows(row.file("victim", 0), rows, RECORD)
    cells = Cells(attack="jpeg", suite="folder-now", images=["a"], condition=PLAIN, row=row)
    cells.victims["pef-resnet18"] = "victim"
    assert list(cells.predictions()["suite"]) == ["folder-now"]
