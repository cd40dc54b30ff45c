from pathlib import PurePosixPath

import pytest

from bench.suites.naming import (
    DRESDEN,
    TREE,
    detect_layout,
    is_image,
    natural_key,
    parse_dresden,
    parse_tree,
)
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


def test_image_suffixes_in_any_case():
    assert all(is_image(PurePosixPath(f"a.{s}")) for s in ("jpg", "JPG", "Jpeg", "png", "TIF"))
    assert not any(is_image(PurePosixPath(n)) for n in ("a.txt", "jpg", "a.jpg.part", "a.heic"))


def test_shots_sort_by_number():
    names = ["b1", "a10", "a9", "10", "9", "a09b", ""]
    assert sorted(names, key=natural_key) == ["", "9", "10", "a9", "a09b", "a10", "b1"]
