from pathlib import PurePosixPath

import pytest

from bench.suites.layouts import (
    DRESDEN,
    FLOREVIEW,
    FODB,
    LAYOUTS,
    SPCUP,
    TREE,
    VISION,
    detect_layout,
    get_layout,
)
from bench.suites.layouts.dresden import merged, parse_dresden
from bench.suites.layouts.naming import natural_key, parse_tree
from bench.types import CamobenchError


@pytest.mark.parametrize(
    ("name", "model", "device", "shot"),
    [
        ("Nikon_D70_0_19445.JPG", "Nikon_D70", "0", "19445"),
        ("Casio_EX-Z150_4_5612.JPG", "Casio_EX-Z150", "4", "5612"),
        ("Olympus_mju_1050SW_3_23512.JPG", "Olympus_mju_1050SW", "3", "23512"),
        ("Olympus_mju-1050SW_3_23512.jpeg", "Olympus_mju-1050SW", "3", "23512"),
        ("Praktica_DCZ5.9_2_35001.JPG", "Praktica_DCZ5.9", "2", "35001"),
        ("A_b_c_d-e_10_007.tif", "A_b_c_d-e", "10", "007"),
    ],
)
def test_dresden_names_are_read_from_both_ends(name, model, device, shot):
    found = parse_dresden(PurePosixPath(name))
    assert (found.model, found.device, found.shot) == (model, device, shot)
    assert found.scene is None


@pytest.mark.parametrize(
    "name",
    ["IMG_1234.JPG", "Nikon_0_1.JPG", "Nikon_D70_x_1.JPG", "Nikon_D70_0_1b.JPG", "_D70_0_1.JPG"],
)
def test_other_names_are_not_dresden(name):
    assert parse_dresden(PurePosixPath(name)) is None


def test_tree_has_exactly_three_levels():
    found = parse_tree(PurePosixPath("Pixel 8/mine/IMG_1.jpg"))
    assert (found.model, found.device, found.shot) == ("Pixel 8", "mine", "IMG_1")
    assert parse_tree(PurePosixPath("Pixel 8/IMG_1.jpg")) is None
    assert parse_tree(PurePosixPath("Pixel 8/mine/dcim/IMG_1.jpg")) is None


def test_the_layout_follows_from_the_paths():
    assert detect_layout([PurePosixPath("a.jpg"), PurePosixPath("b.jpg")]) is DRESDEN
    assert detect_layout([PurePosixPath("m/d/a.jpg"), PurePosixPath("m/b.jpg")]) is TREE


def test_a_mixed_folder_has_no_layout():
    with pytest.raises(CamobenchError, match=r"in the folder itself \(a\.jpg\) and in folders"):
        detect_layout([PurePosixPath("a.jpg"), PurePosixPath("m/d/b.jpg")])


def test_shots_sort_by_number():
    names = ["b1", "a10", "a9", "10", "9", "a09b", ""]
    assert sorted(names, key=natural_key) == ["", "9", "10", "a9", "a09b", "a10", "b1"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Nikon_D70_1_20749.JPG", ("Nikon_D70", "1", "20749")),
        ("Nikon_D70s_0_22115.JPG", ("Nikon_D70", "2", "22115")),
        ("Nikon_D70s_1_23136.JPG", ("Nikon_D70", "3", "23136")),
        ("Nikon_D200_1_15000.JPG", ("Nikon_D200", "1", "15000")),
        ("Olympus_mju_1050SW_3_25100.JPG", ("Olympus_mju-1050SW", "3", "25100")),
        ("Olympus_mju-1050SW_3_25100.JPG", ("Olympus_mju-1050SW", "3", "25100")),
    ],
)
def test_dresden_models_are_merged_for_the_protocol_only(name, expected):
    found = parse_dresden(PurePosixPath(name))
    one = merged(found)
    assert (one.model, one.device, one.shot) == expected
    assert DRESDEN.parse(PurePosixPath(name)) == found


READ = [
    # VISION
    (VISION, "D01_Samsung_GalaxyS3Mini/images/nat/D01_I_nat_0001.jpg",
     ("Samsung_GalaxyS3Mini", "D01", "0001", None)),
    (VISION, "dataset/D26_Samsung_GalaxyS3Mini/images/nat/D26_I_nat_0210.JPG",
     ("Samsung_GalaxyS3Mini", "D26", "0210", None)),
    # FODB: the last number of the folder counts devices, the last of the file is the scene
    (FODB, "D01_Motorola_E3_1/orig/D01_img_orig_0001.jpg",
     ("Motorola_E3", "D01", "0001", "0001")),
    (FODB, "FODB/D16_Samsung_GalaxyA6_2/orig/D16_img_orig_0143.jpg",
     ("Samsung_GalaxyA6", "D16", "0143", "0143")),
    # FloreView: place and subject make the scene
    (FLOREVIEW, "Dataset/D14_Apple_iPhone13mini/Nat/jpeg-h264/L3/S2/D14_L3S2C1.jpg",
     ("Apple_iPhone13mini", "D14", "D14_L3S2C1", "L3S2")),
    (FLOREVIEW, "D14_Apple_iPhone13mini/Nat/D14_0001.jpg",
     ("Apple_iPhone13mini", "D14", "D14_0001", None)),
    # SP Cup: the folder is the label, whatever the name in parentheses
    (SPCUP, "train/HTC-1-M7/(HTC-1-M7)1.jpg", ("HTC-1-M7", "unknown", "1", None)),
    (SPCUP, "train/train/iPhone-4s/(iP4s)17.JPG", ("iPhone-4s", "unknown", "17", None)),
    (SPCUP, "Sony-NEX-7/(Nex7)275.JPG", ("Sony-NEX-7", "unknown", "275", None)),
]  # fmt: skip


@pytest.mark.parametrize(("layout", "path", "expected"), READ)
def test_data_sets_are_read_by_their_names(layout, path, expected):
    path = PurePosixPath(path)
    found = layout.parse(path)
    assert (found.model, found.device, found.shot, found.scene) == expected
    assert layout.set_aside(path) is None
    assert detect_layout([path, path, PurePosixPath("stray.jpg")]) is layout
    others = {VISION, FODB, FLOREVIEW, SPCUP, DRESDEN} - {layout}
    assert not any(other.knows(path) for other in others)


@pytest.mark.parametrize(
    ("layout", "path", "kind"),
    [
        (VISION, "D01_Samsung_GalaxyS3Mini/images/flat/D01_I_flat_0001.jpg", "flat fields"),
        (VISION, "D01_Samsung_GalaxyS3Mini/images/natFBH/D01_I_natFBH_0001.jpg", "versions of soc"),
        (VISION, "D01_Samsung_GalaxyS3Mini/images/natFBL/D01_I_natFBL_0001.jpg", "versions of soc"),
        (VISION, "D01_Samsung_GalaxyS3Mini/images/natWA/D01_I_natWA_0001.jpg", "versions of soc"),
        (FODB, "D01_Motorola_E3_1/facebook/D01_img_facebook_0001.jpg", "versions of social"),
        (FODB, "D01_Motorola_E3_1/whatsapp/D01_img_whatsapp_0001.jpg", "versions of social"),
        (FLOREVIEW, "Dataset/D14_Apple_iPhone13mini/Flat/x/D14_F_0001.jpg", "flat fields"),
        (SPCUP, "test/img_0002a04_manip.tif", "images without a label"),
        (SPCUP, "test/test/img_0002a04_unalt.tif", "images without a label"),
        (DRESDEN, "flatfield/Nikon_D70_0_19929.JPG", "flat fields"),
    ],
)
def test_what_is_no_photograph_of_a_camera_is_set_aside(layout, path, kind):
    path = PurePosixPath(path)
    assert layout.set_aside(path).startswith(kind)
    if layout is not DRESDEN:
        assert layout.parse(path) is None
    assert detect_layout([path]) is layout


@pytest.mark.parametrize(
    ("layout", "path"),
    [
        (VISION, "D01_Samsung_GalaxyS3Mini/images/nat/D02_I_nat_0001.jpg"),
        (VISION, "D01_Samsung_GalaxyS3Mini/videos/nat/D01_I_nat_0001.jpg"),
        (VISION, "D01_Samsung_GalaxyS3Mini/images/nat/IMG_0001.jpg"),
        (FODB, "D01_Motorola_E3_1/orig/D02_img_orig_0001.jpg"),
        (FODB, "D01_Motorola_E3/orig/D01_img_orig_0001.png.txt"),
        (FLOREVIEW, "Apple_iPhone13mini/Nat/D14_L3S2C1.jpg"),
        (FLOREVIEW, "D14_Apple_iPhone13mini/Social/D14_L3S2C1.jpg"),
        (SPCUP, "train/HTC-1-M7/IMG_1.jpg"),
        (SPCUP, "(HTC-1-M7)1.jpg"),
        (SPCUP, "MODEL/DEVICE/(HTC-1-M7)1.jpg"),
    ],
)
def test_other_names_are_not_of_these_data_sets(layout, path):
    assert not layout.knows(PurePosixPath(path))


def test_dresden_in_folders_of_its_own():
    paths = [PurePosixPath(f"natural/Nikon_D70_0_{shot}.JPG") for shot in (7, 8)]
    assert detect_layout([*paths, PurePosixPath("flatfield/Nikon_D70_0_9.JPG")]) is DRESDEN
    tree = [PurePosixPath("Nikon_D70", "0", path.name) for path in paths]
    assert detect_layout(tree) is TREE


def test_layouts_by_name():
    assert all(get_layout(name) is layout for name, layout in LAYOUTS.items())
    assert set(LAYOUTS) == {"tree", "dresden", "vision", "fodb", "floreview", "spcup"}
    with pytest.raises(CamobenchError, match="unknown layout 'visoin': did you mean vision"):
        get_layout("visoin")
