import io
import re
from collections import Counter
from functools import cache
from pathlib import Path, PurePosixPath
from shutil import rmtree

import numpy as np
import pytest
from PIL import Image

from bench.store import Store
from bench.suites.base import open_suite, prepare
from bench.suites.dresden import source
from bench.suites.dresden.protocol import DRESDEN_V1, protocol, stem_of
from bench.suites.dresden.source import Coverage, DresdenSource, look, require
from bench.suites.photographs.layouts import PhotoName
from bench.types import CamobenchError
from tests.suites.test_folder import refuse
from tests.toys import encoded

ALL = list(protocol())


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Olympus_mju-1050SW_2_24614.jpg", True),
        ("a/b/c/OLYMPUS_mju 1050sw_2_24614.JPEG", True),
        ("Flatford Mill/Olympus_mju_1050SW_2_24614.JPG", True),
        ("Olympus_mju_1050SW_2_24614.png", False),
        ("flatfield/Olympus_mju_1050SW_2_24614.JPG", False),
        ("flat field images/Olympus_mju_1050SW_2_24614.JPG", False),
        ("x/Dark-Frames/Olympus_mju_1050SW_2_24614.JPG", False),
    ],
)
def test_spellings_and_what_is_no_photograph(tmp_path, name, known):
    others = ["Kodak_M1063_0_9384.JPG", "Nikon_D70_0_19445.JPG", "Nikon_D70_1_22928.JPG", "I.JPG"]
    for path in (name, *others):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"same")
    photos, inventory = look(tmp_path)
    olympus = PhotoName(model="Olympus_mju-1050SW", device="2", shot="24614")
    assert photos == ({olympus: PurePosixPath(name)} if known else {})
    assert inventory.startswith("photographs by camera model: Nikon_D70 (2), ")
    assert "Kodak_M1063 (1)" in inventory
    again = tmp_path / "Another" / "Olympus_mju_1050SW_2_24614.JPG"
    again.parent.mkdir()
    again.write_bytes(b"same")
    assert list(look(tmp_path)[0]) == [olympus]
    again.write_bytes(b"other")
    if known:
        with pytest.raises(CamobenchError, match=r"24614\..* and .*24614.* one name and differ"):
            look(tmp_path)


def lacks(photo, *missing):
    return any(re.fullmatch(pattern, stem_of(photo)) for pattern in missing)


@pytest.mark.parametrize(
    ("missing", "summary", "classes", "others"),
    [
        (["Kodak_M1063_2_10674"], "Kodak_M1063 (A 764/765)", 6, 6),
        (["Ricoh_GX100_4_.*"], "Ricoh_GX100 (C 0/100)", 5, 6),
        (["Casio_EX-Z150_[01]_.*"], "Casio_EX-Z150 (B 0/324)", 5, 6),
        (["Samsung_NV15_.*"], "Samsung_NV15 (C 0/100)", 6, 5),
    ],
)
def test_what_is_missing_is_an_error_unless_that_was_asked_for(missing, summary, classes, others):
    found = [photo for photo in ALL if not lacks(photo, *missing)]
    count = len(ALL) - len(found)
    with pytest.raises(CamobenchError, match=rf"lacks {count} of the 6171 .*--partial") as error:
        require(found, Path("/copy"), "", partial=False)
    assert f"found of expected: {summary};" in str(error.value)
    require(found, Path("/copy"), "", partial=True)
    coverage = Coverage(found)
    assert coverage.summary == summary
    assert (len(coverage.classes), len(coverage.others)) == (classes, others)
    assert set(coverage.classes) <= set(DRESDEN_V1.models_in)


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ((), "holds no photograph of the twelve .* found other things.*`folder:/copy`"),
        (("Kodak_M1063", "Canon_Ixus70"), r"fewer than two .*Ricoh_GX100 \(A 0/296.*`folder:/copy"),
    ],
)
def test_too_little_for_a_suite(models, said):
    found = [photo for photo in ALL if photo.model in models]
    with pytest.raises(CamobenchError, match=said):
        require(found, Path("/copy"), "other things", partial=True)


MODELS = ("Kodak_M1063", "Olympus_mju-1050SW", "Canon_Ixus70")
SIZE = (530, 519)


@cache
def jpeg(size=SIZE):
    """A gradient, so that a crop tells where it lies."""
    rows, columns = np.indices(size[::-1])
    pixels = np.stack([columns // 4, rows // 4, columns % 16 * 8], axis=-1).astype(np.uint8)
    return encoded(pixels, quality=95)


def few(count=3):
    """`count` photographs of each set of two in-distribution models and of one other."""
    taken, chosen = Counter(), []
    for photo, name in protocol().items():
        if photo.model in MODELS and taken[photo.model, name] < count:
            taken[photo.model, name] += 1
            chosen.append(photo)
    return chosen


def write(root, photos, picture=lambda number: jpeg()):
    """Write photographs that differ at least by what comes after the end of the image."""
    for number, photo in enumerate(photos):
        path = root / "natural" / f"{stem_of(photo)}.JPG".replace("mju-", "mju_")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(number) + stem_of(photo).encode())
    return root


@pytest.fixture
def copy(tmp_path):
    return write(tmp_path / "copy", few())


@pytest.fixture
def tiny(monkeypatch):
    """A protocol of a few photographs."""
    shorter = {photo: protocol()[photo] for photo in few()}
    monkeypatch.setattr(source, "protocol", lambda: shorter)
    return shorter


def rows_of(suite):
    return {row.image_id: row for name in "ABC" for row, _ in suite.rows(name, 2)}


def test_a_complete_copy_becomes_the_suite(tiny, copy, tmp_path):
    suite = DresdenSource(copy)
    card = suite.card
    assert (card.name, card.version, card.image_px) == ("dresden-v1", 1, 512)
    assert card.classes == MODELS[:2]
    assert card.others == MODELS[2:]
    assert "WARNING" not in card.note
    assert "first 100 photographs of a device by shot number" in card.note
    assert "out of distribution 2" in card.note
    rows = rows_of(suite)
    assert list(rows) == [stem_of(p) for s in "ABC" for p in tiny if tiny[p] == s]
    for photo, set_name in tiny.items():
        row = rows[stem_of(photo)]
        assert (row.photo_id, row.model, row.scene) == (stem_of(photo), photo.model, None)
        assert row.device == f"{photo.model}/{photo.device}"
        split = "in" if photo.model in MODELS[:2] else "out"
        assert (row.set, row.split) == (set_name, split)
        assert (row.partition == "evaluation") == (row.set == "C")
    opened = open_suite(prepare(suite, Store(tmp_path / "store"), ("A", "B", "C")).folder)
    assert opened.images("C").shape == (9, 3, 512, 512)
    assert opened.examiner_set().classes == opened.adversary_set().classes == MODELS[:2]


def test_the_crop_is_central_on_even_offsets(copy):
    suite = DresdenSource(copy, partial=True)
    whole = np.asarray(Image.open(io.BytesIO(jpeg()))).transpose(2, 0, 1)
    for _, pixels in suite.rows("A", 1):
        np.testing.assert_array_equal(pixels, whole[:, 2:514, 8:520])


def test_an_incomplete_copy_is_refused_unless_that_was_asked_for(copy):
    refuse(DresdenSource(copy), r"(?s)lacks 6150 of the 6171.*3/765.*--partial")
    card = DresdenSource(copy, partial=True).card
    assert card.classes == MODELS[:2]
    assert card.others == MODELS[2:]
    assert card.note.startswith("WARNING, INCOMPLETE copy of the Dresden images")
    assert "Kodak_M1063 (A 3/765, B 3/760, C 3/100)" in card.note
    assert "left out: Casio_EX-Z150, FujiFilm_FinePixJ50, " in card.note


def test_an_unusable_photograph_of_a_complete_copy_is_named(tiny, copy):
    bad = sorted(copy.rglob("Kodak_M1063_2_*"))[0]
    bad.write_bytes(jpeg()[:9000])
    refuse(DresdenSource(copy), rf"{bad.name}: cannot be decoded.*\n.*--partial")
    bad.write_bytes(jpeg((511, 600)))
    refuse(DresdenSource(copy), rf"{bad.name}: 511 x 600 pixels.*\n.*--partial")
    other = sorted(copy.rglob("Kodak_M1063_2_*"))[1]
    bad.write_bytes(other.read_bytes())
    (copy / "again").mkdir()
    for path in sorted(copy.rglob("Kodak_M1063_0_*"))[:2]:
        (copy / "again" / path.name).write_bytes(b"")
    refuse(DresdenSource(copy), r"1063_0_.* and .*1063_0_.*, .*1063_0_.* bear one name")
    rmtree(copy / "again")
    refuse(DresdenSource(copy), rf"{other.name} in .*: the bytes of another")


def test_the_fingerprint_follows_the_photographs_not_their_place(copy, tmp_path):
    first = DresdenSource(copy, partial=True)
    moved = tmp_path / "elsewhere"
    for path in (copy / "natural").iterdir():
        target = moved / path.name[:3] / path.name.replace("mju_", "mju-").lower()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    second = DresdenSource(moved, partial=True)
    assert second.card == first.card
    assert rows_of(second) == rows_of(first)
    target.write_bytes(target.read_bytes() + b"!")
    assert DresdenSource(moved, partial=True).card.fingerprint != first.card.fingerprint
