from collections import Counter
from pathlib import PurePosixPath

import pytest

from bench.suites.photographs.layouts import (
    DRESDEN,
    FLOREVIEW,
    FODB,
    SPCUP,
    TREE,
    VISION,
    detect_layout,
    natural_key,
)
from bench.types import CamobenchError
from tests.suites.test_folder import refuse, rows_of, source, write_photo

FLAT, SENT, UNNAMED = "flat fields", "versions of social networks", "images without a label"
GALAXY, IPHONE = "D01_Samsung_GalaxyS3Mini", "D14_Apple_iPhone13mini"
FILES = [  # layout, path, and model, device, shot, scene; or what it is else, or nothing
    (DRESDEN, "Nikon_D70_0_19445.JPG", ("Nikon_D70", "0", "19445", None)),
    (DRESDEN, "x/Olympus_mju_1050SW_3_2.jpeg", ("Olympus_mju_1050SW", "3", "2", None)),
    (DRESDEN, "Praktica_DCZ5.9_2_35001.JPG", ("Praktica_DCZ5.9", "2", "35001", None)),
    (DRESDEN, "A_b_c_d-e_10_007.tif", ("A_b_c_d-e", "10", "007", None)),
    *((DRESDEN, name, None) for name in ("IMG_1234.JPG", "Nikon_0_1.JPG", "Nikon_D70_x_1.JPG")),
    *((DRESDEN, name, None) for name in ("Nikon_D70_0_1b.JPG", "_D70_0_1.JPG")),
    (TREE, "Pixel 8/mine/IMG_1.jpg", ("Pixel 8", "mine", "IMG_1", None)),
    (TREE, "Pixel 8/IMG_1.jpg", None),
    (TREE, "Pixel 8/mine/dcim/IMG_1.jpg", None),
    (VISION, f"{GALAXY}/images/nat/D01_I_nat_1.jpg", ("Samsung_GalaxyS3Mini", "D01", "1", None)),
    (VISION, "x/D26_A_B/images/nat/D26_I_nat_0210.JPG", ("A_B", "D26", "0210", None)),
    (VISION, f"{GALAXY}/images/flat/D01_I_flat_0001.jpg", FLAT),
    *((VISION, f"{GALAXY}/images/{k}/D01_I_{k}_1.jpg", SENT) for k in ("natFBH", "natWA")),
    (VISION, f"{GALAXY}/images/nat/D02_I_nat_0001.jpg", None),
    (VISION, f"{GALAXY}/videos/nat/D01_I_nat_0001.jpg", None),
    (VISION, f"{GALAXY}/images/nat/IMG_0001.jpg", None),
    (FODB, "D01_Motorola_E3_1/orig/D01_img_orig_01.jpg", ("Motorola_E3", "D01", "01", "01")),
    (FODB, "FODB/D16_A_B6_2/orig/D16_img_orig_0143.jpg", ("A_B6", "D16", "0143", "0143")),
    (FODB, "D01_Motorola_E3_1/whatsapp/D01_img_whatsapp_0001.jpg", SENT),
    (FODB, "D01_Motorola_E3_1/orig/D02_img_orig_0001.jpg", None),
    (FODB, "D01_Motorola_E3/orig/D01_img_orig_0001.png.txt", None),
    (
        FLOREVIEW,
        f"Dataset/{IPHONE}/Nat/jpeg-h264/L3/S2/D14_L3_S2C1.jpg",
        ("Apple_iPhone13mini", "D14", "D14_L3_S2C1", "L3S2"),
    ),
    (FLOREVIEW, f"{IPHONE}/Nat/D14_1.jpg", ("Apple_iPhone13mini", "D14", "D14_1", None)),
    (FLOREVIEW, f"Dataset/{IPHONE}/Flat/x/D14_F_0001.jpg", FLAT),
    (FLOREVIEW, "Apple_iPhone13mini/Nat/D14_L3S2C1.jpg", None),
    (FLOREVIEW, f"{IPHONE}/Social/D14_L3S2C1.jpg", None),
    (SPCUP, "train/HTC-1-M7/(HTC-1-M7)1.jpg", ("HTC-1-M7", "unknown", "1", None)),
    (SPCUP, "train/train/iPhone-4s/(iP4s)17.JPG", ("iPhone-4s", "unknown", "17", None)),
    (SPCUP, "Sony-NEX-7/(Nex7)275.JPG", ("Sony-NEX-7", "unknown", "275", None)),
    (SPCUP, "test/img_0002a04_manip.tif", UNNAMED),
    (SPCUP, "test/test/img_0002a04_unalt.tif", UNNAMED),
    (SPCUP, "train/HTC-1-M7/IMG_1.jpg", None),
    (SPCUP, "(HTC-1-M7)1.jpg", None),
    (SPCUP, "MODEL/DEVICE/(HTC-1-M7)1.jpg", None),
]


@pytest.mark.parametrize(("layout", "path", "expected"), FILES)
def test_files_are_read_by_their_names(layout, path, expected):
    path = PurePosixPath(path)
    found = layout.read(path)
    told = layout.photo(path)
    assert ((told.model, told.device, told.shot, told.scene) if told else found) == expected
    if expected and layout not in (DRESDEN, TREE):
        assert detect_layout([path, path, PurePosixPath("stray.jpg")]) is layout
    if told and layout not in (DRESDEN, TREE):
        assert not any(
            other.read(path) for other in {VISION, FODB, FLOREVIEW, SPCUP, DRESDEN} - {layout}
        )


def test_the_layout_follows_from_the_paths():
    assert detect_layout([PurePosixPath("a.jpg"), PurePosixPath("b.jpg")]) is DRESDEN
    assert detect_layout([PurePosixPath("m/d/a.jpg"), PurePosixPath("m/b.jpg")]) is TREE
    paths = [PurePosixPath(f"natural/Nikon_D70_0_{shot}.JPG") for shot in (7, 8)]
    assert detect_layout([*paths, PurePosixPath("flatfield/Nikon_D70_0_9.JPG")]) is DRESDEN
    assert detect_layout([PurePosixPath("Nikon_D70", "0", path.name) for path in paths]) is TREE
    with pytest.raises(CamobenchError, match=r"in the folder itself \(a\.jpg\) and in folders"):
        detect_layout([PurePosixPath("a.jpg"), PurePosixPath("m/d/b.jpg")])


def test_shots_sort_by_number():
    names = ["b1", "a10", "a9", "10", "9", "a09b", ""]
    assert sorted(names, key=natural_key) == ["", "9", "10", "a9", "a09b", "a10", "b1"]


def test_dresden_names_win_where_folders_part_them_otherwise():
    def named(folder):
        return [
            PurePosixPath(folder.format(m=m, d=d), f"{m}_{d}_{100 * d + shot}.JPG")
            for m in ("Nikon_D70", "Canon_Ixus70")
            for d in range(2)
            for shot in range(5)
        ]

    for folder in ("natural/{m}_{d}", "natural/jpeg", "x/jpeg", "set1/{m}", "{m}/originals"):
        assert detect_layout(named(folder)) is DRESDEN
    assert detect_layout(named("{m}/{d}")) is TREE
    others = [PurePosixPath(f"Canon/dev0/{shot}.jpg") for shot in range(9)]
    assert detect_layout(named("natural/jpeg") + others) is TREE


def write(root, *names):
    for name in names:
        write_photo(root / name, (64, 64))
    return root


def test_fodb_splits_by_image_with_no_scene_in_two_sets(tmp_path):
    for camera in ("D01_Acme_One_1", "D02_Acme_Two_1", "D03_Acme_Two_2", "D04_Acme_Three_1"):
        scenes = [f"orig/{camera[:3]}_img_orig_{scene:04d}.png" for scene in range(1, 21)]
        names = [*scenes, f"twitter/{camera[:3]}_img_twitter_0001.png"]
        write(tmp_path, *(f"{camera}/{name}" for name in names))
    folder = source(tmp_path)
    card, rows = folder.card, rows_of(folder)
    assert card.classes == ("Acme_One", "Acme_Three", "Acme_Two")
    assert card.note.startswith("WARNING, split by image, not by device")
    assert "; no scene is in two sets; no model out" in card.note  # none is lost
    assert "4 versions of social networks left out" in card.note
    homes = {(row.set, row.scene) for row in rows}
    assert Counter(name for name, _ in homes) == {"A": 8, "B": 8, "C": 4}
    assert len({scene for _, scene in homes}) == 20
    assert len({row.photo_id for row in rows}) == 80


def test_the_signal_processing_cup_has_no_devices(tmp_path):
    for model, short in (("iPhone-4s", "iP4s"), ("HTC-1-M7", "HTC-1-M7")):
        write(tmp_path, *(f"train/{model}/({short}){i}.png" for i in range(1, 8)))
    write(tmp_path, "test/img_00b1c2d_unalt.tif")
    card = source(tmp_path).card
    assert card.classes == ("HTC-1-M7", "iPhone-4s")
    assert "the files' names tell no physical camera" in card.note
    assert "1 images without a label left out" in card.note


def test_a_layout_can_be_named(tmp_path):
    for model in ("One", "Two"):
        names = [f"LG/{d}/LG_{model}_{d}_{s}.png" for d in range(3) for s in range(3)]
        write(tmp_path, *names)
    assert source(tmp_path).card.classes == ("LG_One", "LG_Two")  # names part the folders
    refuse(source(tmp_path, layout="tree"), "fewer than two camera models")
    with pytest.raises(CamobenchError, match="unknown layout 'vison': did you mean vision"):
        source(tmp_path, layout="vison")
