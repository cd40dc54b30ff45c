from pathlib import PurePosixPath

import pytest

from bench.suites.dresden.copies import look, one_path_each
from bench.suites.dresden.protocol import Pinned, protocol
from bench.types import CamobenchError

OLYMPUS = Pinned(model="Olympus_mju-1050SW", device=2, shot=24614)


def paths(*names):
    return [PurePosixPath(name) for name in names]


def test_a_complete_copy_is_recognised_by_its_names():
    flat = look(PurePosixPath(f"{photo.name}.JPG") for photo in protocol())
    assert list(flat.photos) == list(protocol())
    assert not flat.others
    server = look(
        PurePosixPath("natural", photo.model, f"{photo.name}.JPG".replace("mju-", "mju_"))
        for photo in protocol()
    )
    assert list(server.photos) == list(protocol())


@pytest.mark.parametrize(
    "name",
    [
        "Olympus_mju_1050SW_2_24614.JPG",
        "Olympus_mju-1050SW_2_24614.jpg",
        "natural/Olympus_mju_1050SW_2_24614.JPEG",
        "a/b/c/OLYMPUS_mju 1050sw_2_24614.jpg",
    ],
)
def test_odd_spellings_of_the_olympus(name):
    assert look(paths(name)).photos == {OLYMPUS: tuple(paths(name))}


def test_shots_that_the_protocol_does_not_use_are_others():
    names = [
        "Kodak_M1063_0_9384.JPG",
        "Kodak_M1063_4_12769.JPG",
        "Canon_Ixus70_0_3258.JPG",
        "Nikon_D70_0_19445.JPG",
        "Nikon_D70s_1_22928.JPG",
        "IMG_1.JPG",
        "Nikon_D200_0_14902.NEF.png",
    ]
    copy = look(paths(*names))
    assert not copy.photos
    assert copy.others == {"Kodak_M1063": 2, "Canon_Ixus70": 1, "Nikon_D70": 2}
    assert copy.inventory().startswith("photographs by camera model: Kodak_M1063 (2), ")


@pytest.mark.parametrize(
    "folder",
    ["flatfield", "Flat-Field", "flat field images", "x/flatfields", "flat", "darkframes"],
)
def test_a_flat_field_of_a_pinned_name_is_no_photograph(folder):
    copy = look(paths(f"{folder}/Olympus_mju_1050SW_2_24614.JPG"))
    assert not copy.photos
    assert not copy.others


def test_folders_that_only_begin_like_flat_fields():
    assert look(paths("Flatford Mill/Olympus_mju_1050SW_2_24614.JPG")).photos


def test_other_formats_are_not_what_the_camera_wrote():
    assert not look(paths("Olympus_mju_1050SW_2_24614.png")).photos


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
