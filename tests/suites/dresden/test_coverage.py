import re
from pathlib import Path, PurePosixPath

import pytest

from bench.suites.dresden.coverage import Coverage, look, one_path_each, require
from bench.suites.dresden.protocol import DRESDEN_V1, Pinned, protocol
from bench.types import CamobenchError

OLYMPUS = Pinned(model="Olympus_mju-1050SW", device=2, shot=24614)
ALL = list(protocol())


def paths(*names):
    return [PurePosixPath(name) for name in names]


def test_a_complete_copy_is_recognised_by_its_names():
    for pattern in ("{name}.JPG", "natural/{model}/{name}.JPG"):
        names = [pattern.format(model=photo.model, name=photo.name) for photo in ALL]
        copy = look(PurePosixPath(name.replace("mju-", "mju_")) for name in names)
        assert (list(copy.photos), copy.others.total()) == (ALL, 0)
    assert Coverage(ALL).complete
    require(ALL, Path("/copy"), "", partial=False)


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
def test_spellings_and_what_is_no_photograph(name, known):
    copy = look(paths(name))
    assert copy.photos == ({OLYMPUS: tuple(paths(name))} if known else {})
    assert not copy.others


def test_shots_that_the_protocol_does_not_use_are_others():
    names = ["Kodak_M1063_0_9384.JPG", "Kodak_M1063_4_12769.JPG", "Canon_Ixus70_0_3258.JPG"]
    names += ["Nikon_D70_0_19445.JPG", "Nikon_D70s_1_22928.JPG", "IMG_1.JPG"]
    copy = look(paths(*names))
    assert not copy.photos
    assert copy.others == {"Kodak_M1063": 2, "Canon_Ixus70": 1, "Nikon_D70": 2}
    assert copy.inventory().startswith("photographs by camera model: Kodak_M1063 (2), ")


def test_one_of_equal_files_is_taken_and_different_ones_are_refused(tmp_path):
    names = ["a/Olympus_mju_1050SW_2_24614.JPG", "b/Olympus_mju-1050SW_2_24614.JPG"]
    for name in names:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"same")
    copy = look(paths(*names))
    assert one_path_each(tmp_path, copy) == {OLYMPUS: PurePosixPath(names[0])}
    (tmp_path / names[1]).write_bytes(b"other")
    with pytest.raises(CamobenchError, match=r"a/Olympus.* and b/Olympus.* one name and differ"):
        one_path_each(tmp_path, copy)


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
    assert coverage.summary() == summary
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
