"""Folder suites of data sets in their own naming, on small synthetic trees."""

import zlib
from collections import defaultdict

import numpy as np
import pytest
from PIL import Image

from bench.suites.folder import FolderSource
from bench.types import CamobenchError


def write(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(zlib.crc32(name.encode())).integers(0, 256, (64, 64, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    return root


def source(root, **options):
    return FolderSource(root, **({"image_px": 64} | options))


def placed(folder):
    return [row for name in "ABC" for row, _ in folder.rows(name, 1)]


def sets_by(rows, column):
    found = defaultdict(set)
    for row in rows:
        found[getattr(row, column)].add(row.set)
    return found


def vision(root):
    cameras = ("D01_Acme_One", "D02_Acme_One", "D03_Acme_One", "D04_Acme_Two", "D05_Acme_Two")
    for camera in (*cameras, "D06_Acme_Two", "D07_Acme_Three"):
        device = camera[:3]
        kinds = ("nat", "nat", "nat", "natWA", "flat")
        write(root, *(f"{camera}/images/{k}/{device}_I_{k}_{i:04d}.png"
                      for i, k in enumerate(kinds)))  # fmt: skip
    return root


def fodb(root, cameras, scenes=range(1, 21)):
    for camera in cameras:
        names = [f"{camera}/orig/{camera[:3]}_img_orig_{scene:04d}.png" for scene in scenes]
        write(root, *names, f"{camera}/twitter/{camera[:3]}_img_twitter_0001.png")
    return root


def test_vision_splits_by_the_physical_device(tmp_path):
    folder = source(vision(tmp_path / "VISION"))
    card, rows = folder.card, placed(folder)
    assert card.classes == ("Acme_One", "Acme_Two")
    assert card.others == ("Acme_Three",)
    assert "Acme_One 1/1/1, Acme_Two 1/1/1" in card.note
    assert "7 flat fields and 7 versions of social networks left out" in card.note
    assert all(len(sets) == 1 for sets in sets_by(rows, "device").values())
    assert {row.device for row in rows if row.model == "Acme_One"} == {
        "Acme_One/D01", "Acme_One/D02", "Acme_One/D03",
    }  # fmt: skip
    assert {"/nat/" in row.photo_id for row in rows} == {True}


def test_fodb_splits_by_image_with_no_scene_in_two_sets(tmp_path):
    cameras = ("D01_Acme_One_1", "D02_Acme_Two_1", "D03_Acme_Two_2", "D04_Acme_Three_1")
    folder = source(fodb(tmp_path, cameras))
    card, rows = folder.card, placed(folder)
    assert card.classes == ("Acme_One", "Acme_Three", "Acme_Two")
    assert card.note.startswith("WARNING, split by image, not by device")
    assert "; no scene is in two sets; no model out" in card.note  # none is lost
    scenes = sets_by(rows, "scene")
    assert len(scenes) == 20
    assert all(len(sets) == 1 for sets in scenes.values())
    count = {name: sum(sets == {name} for sets in scenes.values()) for name in "ABC"}
    assert count == {"A": 8, "B": 8, "C": 4}
    assert len({row.photo_id for row in rows}) == 80


def test_the_signal_processing_cup_has_no_devices(tmp_path):
    for model, short in (("iPhone-4s", "iP4s"), ("HTC-1-M7", "HTC-1-M7")):
        write(tmp_path, *(f"train/{model}/({short}){i}.png" for i in range(1, 8)))
    write(tmp_path, "test/img_00b1c2d_unalt.tif")
    card = source(tmp_path).card
    assert card.classes == ("HTC-1-M7", "iPhone-4s")
    assert "the files' names tell no physical camera" in card.note
    assert " of 1 device" not in card.note
    assert "1 images without a label left out" in card.note


def test_a_layout_can_be_named(tmp_path):
    root = write(tmp_path, *(f"Acme/{d}/Acme_{m}_{d}_{s}.png" for m in ("One", "Two")
                             for d in range(3) for s in range(2)))  # fmt: skip
    assert source(root).card.classes == ("Acme_One", "Acme_Two")  # the names part the folders
    with pytest.raises(CamobenchError, match="fewer than two camera models"):
        source(root, layout="tree").card  # noqa: B018
    with pytest.raises(CamobenchError, match="unknown layout 'vison': did you mean vision"):
        source(root, layout="vison")
