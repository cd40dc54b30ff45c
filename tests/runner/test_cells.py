from pathlib import Path

import pandas as pd
import pytest
import torch

from bench.runner import cells
from bench.runner.cells import (
    RowFolder,
    key_columns,
    read_rows,
    row_key,
    row_shards,
)
from bench.runner.filling import Gap
from bench.types import CamobenchError
from tests.smoke import ATTACKS, flip, matrix_of


def test_rows_depend_on_all_that_is_behind_them(smoke, monkeypatch):
    networks = matrix_of(smoke.store).networks
    keys = {name: row_key(networks, name) for name in ATTACKS}
    assert len(set(keys.values())) == 3
    networks.device = torch.device("meta")
    assert row_key(networks, "jpeg") != keys["jpeg"]
    networks.device = torch.device("cpu")
    assert row_key(networks, "jpeg") == keys["jpeg"]
    networks.set_c = "0" * 64  # Set-C was made anew, with other pixels
    assert row_key(networks, "jpeg") != keys["jpeg"]
    networks.set_c = matrix_of(smoke.store).suite.checksum("C")
    assert row_key(networks, "jpeg") == keys["jpeg"]
    monkeypatch.setattr(cells, "SCORER_VERSION", 2)
    assert row_key(networks, "jpeg") != keys["jpeg"]


def test_shards_cover_every_image_once():
    assert row_shards(range(70)) == [range(32), range(32, 64), range(64, 70)]


@pytest.fixture
def row(tmp_path):
    return RowFolder(tmp_path)


def test_rows_are_kept_with_their_keys(smoke, row):
    graph = matrix_of(smoke.store).graph
    keys = key_columns(graph, "jpeg", "img-resnet12")
    row.keep("stem", pd.DataFrame({"predicted": ["a"]}), keys)
    assert (row.has("stem"), row.has("other")) == (True, False)
    (found,) = read_rows(row.file("stem")).to_dict("records")
    assert found == {"predicted": "a", **keys}
    assert keys["victim_key"] == graph.victims["img-resnet12"][:16]
    assert key_columns(graph, "jpeg") == {k: v for k, v in keys.items() if k != "victim_key"}


def test_damaged_rows_are_named(row):
    row.file("stem").write_bytes(b"PAR1")
    with pytest.raises(CamobenchError, match=r"stem.parquet is damaged .*; remove .*makes it anew"):
        read_rows(row.file("stem"))


def test_rows_with_a_flipped_bit_are_refused_and_set_aside(row):
    for stem in ("one", "two"):
        row.keep(stem, pd.DataFrame({"predicted": ["a", "b"]}), {})
    row.note_fill("jpeg", "fill", [shard("2026-01-01", 1.0, "one", "two")])
    assert row.set_damaged_aside() == []
    flip(row.file("one"))
    with pytest.raises(CamobenchError, match=r"one.parquet is damaged .*; remove .*makes it anew"):
        read_rows(row.file("one"))
    assert row.set_damaged_aside() == ["one"]
    assert (row.has("one"), row.has("two")) == (False, True)
    assert sorted(path.name for path in row.aside.iterdir()) == [
        "one.parquet",
        "one.parquet.sha256",
    ]
    (left,) = row.shards(["two"])  # nobody filled the other any more
    assert left["cells"] == ["two"]
    assert row.shards(["one"]) == []
    flip(row.file("two"))
    row.set_damaged_aside()
    assert row.shards(["one", "two"]) == []


@pytest.mark.parametrize("lost", [Path.unlink, flip])
def test_rows_that_nobody_knows_the_origin_of_are_set_aside(row, lost):
    assert row.set_damaged_aside() == []
    row.note_fill("jpeg", "fill", [shard("2026-01-01", 1.0, "one")])
    row.keep("one", pd.DataFrame({"predicted": ["a"]}), {})
    whole = row.file("one").read_bytes()
    lost(row.path / "row.json")
    assert row.set_damaged_aside() == ["one"]
    assert [path.name for path in row.path.iterdir()] == ["damaged"]
    assert (row.aside / "one.parquet").read_bytes() == whole


def shard(created, at, *stems):
    return {"by": {"created": created}, "at": at, "cells": list(stems)}


def test_shards_are_noted_by_fill_and_found_by_what_they_filled(row):
    assert row.shards(["a"]) == []
    first, second = shard("2026-01-01", 1.0, "a"), shard("2026-01-01", 2.0, "a", "b")
    later, old = shard("2026-02-01", 0.5, "b"), {"by": {"created": "2025-01-01"}}
    row.note_fill("jpeg", "one", [first, second])
    row.note_fill("jpeg", "two", [later, old])
    assert row.shards(["a"]) == [second, first, old]  # old records do not say what they filled
    assert row.shards(["b", "c"]) == [later, second, old]
    row.note_fill("jpeg", "one", [])
    assert row.shards(["a"]) == [old]


def gap(tmp_path, **changes):
    images = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    given = {"stems": {}, "lacks_distortion": False, "wants_images": False}
    return Gap(**{**given, **changes}, image_files=images, quality_percent=None)


def test_a_gap_is_what_is_missing_and_wanted(tmp_path):
    assert not gap(tmp_path)
    assert gap(tmp_path, stems={"v": "stem"})
    assert gap(tmp_path, lacks_distortion=True)
    wanting = gap(tmp_path, wants_images=True)
    assert wanting
    assert wanting.lacks_images
    for path in wanting.image_files:
        path.touch()
    assert not wanting
