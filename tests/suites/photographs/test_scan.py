import os
import shutil
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from bench.data import ImageError
from bench.store import Store
from bench.suites.base import prepare
from bench.suites.photographs.scan import list_images
from bench.types import CamobenchError
from tests.suites.test_folder import five, pair, refuse, rows_of, source, write_photo, write_tree

__all__ = ["five", "pair"]  # fixtures


def test_unusable_files_are_reported_together(five, tmp_path):
    folder = five / "five" / "dev0"
    whole = (folder / "LG_five_0_0.JPG").read_bytes()
    (folder / "a.jpg").write_bytes(whole[: len(whole) // 2])
    write_photo(folder / "b.JPEG", mode="L")
    write_photo(folder / "c.png", mode="RGBA")
    (folder / "d.tif").write_bytes(b"not a picture")
    write_photo(folder / "e.png", size=(300, 63))
    write_photo(five / "four" / "stray.jpg")
    store = Store(tmp_path / "store")
    with pytest.raises(ImageError) as error:
        prepare(source(five), store, ("A",))
    lines = str(error.value).splitlines()
    said = (
        "6 of 36 image files",
        "five/dev0/a.jpg: cannot be decoded",
        "five/dev0/b.JPEG: image mode is L",
        "five/dev0/c.png: image mode is RGBA",
        "five/dev0/d.tif: not an image",
        "five/dev0/e.png: 300 x 63 pixels",
        "1 more",
        "--skip-bad",
    )
    assert all(part in line for part, line in zip(said, lines, strict=True))
    assert not (store.root / "data").exists()
    card = source(five, skip_bad=True).card
    assert card.note.endswith("; 6 unusable files left out")
    (folder / "d.tif").unlink()
    assert source(five, skip_bad=True).card.fingerprint == card.fingerprint


def test_a_thumbnail_does_not_make_a_truncated_photograph_whole(pair):
    path = sorted(pair.iterdir())[0]
    thumbnail = path.read_bytes()
    app = b"\xff\xed" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    assert len(app) < 65535
    whole = thumbnail[:2] + app + thumbnail[2:]
    path.write_bytes(whole)
    assert source(pair).card
    path.write_bytes(whole[: len(app) + len(thumbnail) * 3 // 4])
    refuse(source(pair), rf"{path.name}: cannot be decoded")


def test_copies_of_a_photograph_are_used_once(five):
    original = five / "five" / "dev0" / "LG_five_0_0.JPG"
    shutil.copy(original, five / "five" / "dev4" / "zcopy.jpg")
    shutil.copy(original, five / "five" / "dev0" / "zcopy.jpg")
    folder = source(five)
    rows = rows_of(folder)
    assert "; 2 exact copies of other files left out" in folder.card.note
    assert not [row for row in rows if "zcopy" in row.photo_id]
    assert len({row.sha256 for row in rows}) == len({row.photo_id for row in rows})


def test_one_photograph_under_two_models_is_refused(five):
    shutil.copy(five / "five" / "dev0" / "LG_five_0_0.JPG", five / "four" / "dev0" / "a.JPG")
    refuse(source(five), r"LG_five_0_0\.JPG: the same bytes as four/dev0/a\.JPG")
    folder = source(five, skip_bad=True)
    assert {"LG_five_0_0.JPG", "a.JPG"}.isdisjoint(Path(r.photo_id).name for r in rows_of(folder))


def test_one_model_spelled_in_several_ways_is_one(tmp_path):
    names = ("Canon é_70", "canon e\u0301 70", "CANON-É-70")
    root = write_tree(tmp_path / "mine", {names[0]: [3], "LG One": [3, 3, 3]})
    for device, name in enumerate(names[1:], 1):
        for shot in range(2):
            write_photo(root / name / f"dev{device}" / f"{device}{shot}.JPG")
    card = source(root).card
    assert card.classes == ("Canon é_70", "LG One")
    assert "one camera model spelled in 3 ways: CANON-É-70, " in card.note
    assert card.note.startswith("split by device")


def test_one_shot_saved_twice_is_refused(five):
    shot = five / "five" / "dev0" / "LG_five_0_0.JPG"
    for again in ("LG_five_0_0.png", "LG_five_0_0 (1).jpg", "LG_five_0_0_edited.jpg"):
        write_photo(shot.with_name(again))
    refuse(source(five), r"(?s)3 of .*LG_five_0_0\.png: by its name the same")
    kept = [row.photo_id for row in rows_of(source(five, skip_bad=True))]
    assert not [name for name in kept if "(1)" in name or "edited" in name or "png" in name]


def exif(make, model, serial=""):
    tags = Image.Exif()
    tags[271], tags[272] = make, model
    tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.BodySerialNumber] = serial
    return tags


def test_exif_that_contradicts_the_folders_is_said(tmp_path):
    canon, nikon = exif("Canon", "Canon EOS 5D"), exif("NIKON CORPORATION", "NIKON D70")
    root = write_tree(tmp_path, {"Canon_EOS_5D": [3, 3]}, exif=canon)
    write_tree(root, {"Nikon_D70": [3, 3]}, exif=nikon)
    assert "WARNING, EXIF" not in source(root).card.note
    write_photo(root / "Nikon_D70" / "dev0" / "stray.JPG", exif=canon)
    note = source(root).card.note
    assert "Nikon_D70 holds photographs of Canon EOS 5D, NIKON D70" in note
    assert "photographs of Canon EOS 5D are in Canon_EOS_5D, Nikon_D70" in note


def test_one_camera_as_two_devices_is_said(tmp_path):
    root = write_tree(tmp_path, {"Nikon_D70": [3, 3, 3]}, exif=exif("Nikon", "D70", "0000"))
    write_tree(root, {"Canon_5D": [3, 3, 3]}, exif=exif("Canon", "5D"))
    assert "one camera" not in source(root).card.note
    write_tree(root, {"Canon_5D": [1, 1]}, exif=exif("Canon", "5D", "0123"))
    said = "WARNING, one camera by EXIF's serial numbers: Canon_5D/dev0 and Canon_5D/dev1"
    assert said in source(root).card.note


def test_swapped_folders_are_said(tmp_path):
    root = write_tree(tmp_path, {"Canon_5D": [5]}, exif=exif("Canon", "EOS 600D"))
    write_tree(root, {"Canon_600D": [5]}, exif=exif("Canon", "EOS 5D"))
    note = source(root).card.note
    assert "the photographs of Canon_5D are of Canon EOS 600D" in note


@pytest.mark.parametrize("name", ["lost+found", "__MACOSX", "@eaDir", "$RECYCLE.BIN"])
def test_folders_of_systems_are_passed_over(five, name):
    known = source(five).card
    for folder in (five, five / "two", five / "two" / "dev0"):
        write_photo(folder / name / "LG_two_0_0.JPG" / "SMALL.jpg")
    assert source(five).card == known


@pytest.mark.parametrize("suffix", [".jpe", ".JFIF", ".mpo"])
def test_every_suffix_of_a_jpeg_is_one(five, suffix):
    known = rows_of(source(five))
    for path in five.rglob("*.JPG"):
        path.rename(path.with_suffix(suffix))
    assert [row.sha256 for row in rows_of(source(five))] == [row.sha256 for row in known]


def test_what_lies_on_a_medium_that_is_not_there_is_said(five):
    (five / "five" / "dev9").mkdir()
    assert source(five).card.note.endswith("; no usable photograph in five/dev9")
    for name in ("six", "five/dev8", "five/LG5.9", "five/a.cr2"):
        (five / name).symlink_to(five / "unmounted")
    with pytest.raises(CamobenchError, match=r"dev8.*attach the medium") as error:
        list_images(five)
    assert all(name in str(error.value) for name in ("six", "LG5.9"))


def test_photographs_in_other_formats_are_refused_by_name_not_passed_over(five):
    write_photo(five / "two" / "dev0" / "LG_two_0_7.webp")
    refuse(source(five), r"LG_two_0_7\.webp.*a WEBP, expected a JPEG")


def test_devices_spelled_in_several_ways_are_said(tmp_path):
    root = write_tree(tmp_path, {"Nikon_D70": [3, 3], "Canon_5D": [3, 3]})
    write_photo(root / "Nikon_D70" / "Dev-1" / "x.JPG")
    write_photo(root / "Nikon_D70" / "dev 1" / "y.JPG")
    note = source(root).card.note
    assert "one device spelled in 2 ways: Nikon_D70/Dev-1, Nikon_D70/dev 1" in note


def test_what_is_no_file_is_refused_unread(five):
    (five / "two" / "dev0" / "a.jpg").symlink_to(os.devnull)
    refuse(source(five), r"no files.*a\.jpg")


def test_a_folder_that_cannot_be_read_is_named_not_passed_over(five, monkeypatch):
    shut, scandir = five / "five" / "dev0", os.scandir

    def guarded(path):
        if Path(path) == shut:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    refuse(source(five), r"five.dev0 cannot be read \(Permission denied\)")
