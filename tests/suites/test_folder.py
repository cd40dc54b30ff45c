import shutil
import zlib

import numpy as np
import pytest
from PIL import Image

from bench.data import ImageError
from bench.store import Store
from bench.suites.audit.record import audit
from bench.suites.base import prepare
from bench.suites.folder import FolderSource
from bench.types import SETS, CamobenchError


def write_photo(path, size=(208, 144), mode="RGB", **options):
    """Write noise that follows from the file's name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = zlib.crc32("/".join(path.parts[-3:]).encode())
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(path, **options)
    return path


def write_tree(root, models, **options):
    """Write `models`, photographs by device by model, as MODEL/DEVICE/IMAGE.JPG."""
    for model, devices in models.items():
        for device, count in enumerate(devices):
            for shot in range(count):
                name = f"LG_{model}_{device}_{shot}.JPG"  # agrees with its folder
                write_photo(root / model / f"dev{device}" / name, **options)
    return root


def write_dresden(root, models):
    for model, devices in models.items():
        for device, count in enumerate(devices):
            for shot in range(count):
                write_photo(root / f"{model}_{device}_{device * 100 + shot + 97}.JPG")
    return root


def source(root, **options):
    return FolderSource(root, **({"image_px": 64} | options))


def refuse(source, message):
    """A folder that is no suite says why."""
    with pytest.raises(CamobenchError, match=message):
        _ = source.card


def rows_of(folder, workers=1):
    return [row for name in "ABC" for row, _ in folder.rows(name, workers)]


@pytest.fixture
def five(tmp_path):
    """Models with 5, 4, 3 and 2 devices."""
    models = {"five": [2] * 5, "four": [2] * 4, "three": [3, 3, 3], "two": [2, 1]}
    return write_tree(tmp_path / "My Photos", models)


@pytest.fixture
def pair(tmp_path):
    """Two models of two devices, a third with too few photographs."""
    return write_dresden(tmp_path / "flat", {"LG_One": [3, 3], "LG_Two_s": [4, 6], "LG_Three": [1]})


def test_order_depends_neither_on_workers_nor_on_where_a_killed_run_continues(five):
    folder = source(five, tiles_per_photo=99)
    assert "up to 6 in Set-A and B, 4 in Set-C" in folder.card.note
    whole = [(row, pixels.tobytes()) for row, pixels in folder.rows("A", 1)]
    assert len(whole) > 6
    for start in (0, 1, 3, 4, len(whole)):
        rest = [(row, pixels.tobytes()) for row, pixels in folder.rows("A", 3, start)]
        assert rest == whole[start:]


def test_the_fingerprint_follows_content_and_options_not_the_place(pair, tmp_path):
    def fingerprint(root=pair, **options):
        return source(root, **options).card.fingerprint

    first = fingerprint()
    assert fingerprint() == first
    moved = tmp_path / "elsewhere" / "flat"
    shutil.copytree(pair, moved)
    assert fingerprint(moved) == first
    options = {"image_px": 96, "tiles_per_photo": 2, "skip_bad": True}
    options["classes"] = ["LG_Two_s", "LG_One"]
    changed = {fingerprint(**{name: value}) for name, value in options.items()}
    assert len({first, *changed}) == 5
    path = sorted(moved.iterdir())[0]
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(bytes(data))
    assert fingerprint(moved) != first
    path.write_bytes(bytes(data[:-10]) + bytes(1))
    path.rename(path.with_name("LG_One_0_1.JPG"))
    assert fingerprint(moved, skip_bad=True) != fingerprint(skip_bad=True)


def test_a_file_that_changes_after_the_scan_is_named(pair):
    folder = source(pair)
    rows = list(folder.rows("A", 1))
    path = pair / rows[0][0].photo_id
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ImageError, match=rf"{path.name} has changed since the folder was scanned"):
        list(folder.rows("A", 1))
    path.unlink()
    with pytest.raises(ImageError, match=rf"{path.name}: cannot be read"):
        list(folder.rows("A", 1))


def test_classes_may_hold_commas(tmp_path):
    odd = {"Canon, Inc. EOS 5D": [5], "C920Z,D450Z": [5], "C920Z": [5], 'A "5%" {é} & #1': [5]}
    root = write_tree(tmp_path, odd)
    chosen = 'C920Z,D450Z, Canon, Inc. EOS 5D,A "5%" {é} & #1'
    card = source(root, classes=chosen).card
    assert card.classes == ("C920Z,D450Z", "Canon, Inc. EOS 5D", 'A "5%" {é} & #1')
    assert card.fingerprint == source(root, classes=list(card.classes)).card.fingerprint
    refuse(source(root, classes="Canon,C920Z"), "unknown camera model 'Canon': ")


def test_what_holds_no_photograph_is_named(five, tmp_path):
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / ".hidden.jpg").write_bytes(b"")
    for root, message in (
        (tmp_path / "nowhere", r"no folder .*nowhere; check the path"),
        (tmp_path / "bare", r"no image .* in .*; check the path"),
    ):
        refuse(source(root), message)
    write_photo(five / "Nikon" / "dev0" / "a.png", mode="L")
    refuse(source(five, skip_bad=True), r"no usable photograph in .*Nikon: add photographs")
    (five / "Nikon" / "dev0" / "a.png").rename(five / "Nikon" / "dev0" / "notes.txt")
    refuse(source(five), r"no usable photograph in .*Nikon: add photographs")


def test_the_audit_finds_a_photograph_saved_anew_in_another_set(five, tmp_path):
    taught, asked = (
        next(place.photo.path for place in source(five).placed if place.set == name)
        for name in "AC"
    )
    with Image.open(five / taught) as photograph:
        photograph.resize((176, 128)).save(five / asked, quality=60)
    suite = prepare(source(five), Store(tmp_path / "store"), SETS)
    found = audit(suite)
    assert [(pair.one[-len(str(taught)) :], pair.other) for pair in found.near] == [
        (str(taught), f"C: {asked}")
    ]
