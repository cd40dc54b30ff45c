import re
from pathlib import Path, PurePosixPath

import pytest

from bench.suites.dresden.coverage import Coverage, look, require
from bench.suites.dresden.protocol import DRESDEN_V1, Pinned, protocol
from bench.types import CamobenchError

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
    others = ["Kodak_M1063_0_9384.JPG", "Nikon_D70_0_19445.JPG", "Nikon_D70s_1_22928.JPG", "I.JPG"]
    for path in (name, *others):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"same")
    photos, inventory = look(tmp_path)
    olympus = Pinned("Olympus_mju-1050SW", 2, 24614)
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


def test_a_complete_copy_is_complete():
    assert Coverage(ALL).complete
    require(ALL, Path("/copy"), "", partial=False)


def lacks(photo, *missing):
    return any(re.fullmatch(pattern, photo.name) for pattern in missing)


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
