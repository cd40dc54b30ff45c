from pathlib import Path, PurePosixPath

import pytest
from PIL import Image

from bench.suites.camera_names import names_a_model, require_models
from bench.types import CamobenchError

NO_MODELS = """
natural|flatfield|train|val|TEST|training|validation|set1|Set-A|trainB|fold0|A|c|original|edited|IMG|
DCIM|100CANON|jpeg|q90|JPEG_90|QF95|iso-200|512x512|2019|007|2019-05-04|May 2019|device-1|camera|
Trainingsdaten|session10|run12|group_a|cv10|Sp|sRGB|London|1st|10th|train_Canon|D01_Acme_One
"""
MODELS = """
Canon, Inc. EOS 5D|Nikon_D70|D70|GX100|iPhone 4s|HTC-1-M7|Pixel 8|Apple_iPhone-XR|600D|simcam-01|
Hewlett-Packard_hp-PhotoSmart-43x-series|Olympus_C920Z,D450Z|Samsung_GalaxyS3Mini|Meizu_m1-note|
Model0|model_a|cam-a|Phone 2|Leica Q2|Nothing Phone 1|ixus70|Huawei P9|Seiko_PhotoPC-3100Z
"""


def split(text):
    return text.replace("\n", "").split("|")


@pytest.mark.parametrize(
    ("name", "expected"),
    [(name, False) for name in split(NO_MODELS)] + [(name, True) for name in split(MODELS)],
)
def test_what_names_a_camera_model(name, expected):
    assert names_a_model(name) == expected


def paths(*folders):
    return [PurePosixPath(f"{name}/IMG_{shot}.jpg") for name in folders for shot in range(2)]


@pytest.mark.parametrize(
    ("folders", "named"),
    [
        (("a",), "no image in mine lies as MODEL/DEVICE/IMAGE.jpg"),
        (
            ("train/D01_A", "test/D01_A", "Nikon/d0"),
            "no camera models, by name or EXIF: test, train",
        ),
        (("Canon/train", "Canon/test", "Nikon/train"), "kinds of images: Canon/test, Canon/train"),
        (("Canon/dev0", "Canon/flatfield", "Nikon/dev0"), "kinds of images: Canon/flatfield"),
        (("Canon/2019", "Canon/May 1 2020"), "kinds of images: Canon/2019, Canon/May 1 2020"),
        (("Canon/jpeg", "Canon/png", "Nikon/jpeg"), "kinds of images: Canon/jpeg, Canon/png"),
    ],
)
def test_a_folder_that_is_no_tree_of_cameras_is_named(folders, named):
    with pytest.raises(CamobenchError, match=f"{named}.*--layout tree"):
        require_models(Path("mine"), paths(*folders))


@pytest.mark.parametrize("device", ["device-1", "0", "D01", "a", "unknown", "jpeg", "anna"])
def test_devices_may_be_named_as_one_likes(device):
    require_models(Path(), paths(f"Canon/{device}", f"Nikon/{device}"))


def test_a_name_that_exif_or_a_file_name_confirms_is_a_model(tmp_path):
    found = [PurePosixPath("One/a/1.jpg"), PurePosixPath("mju/b/Olympus_mju_0_1.jpg")]
    for path in found:
        (tmp_path / path).parent.mkdir(parents=True)
        exif = Image.Exif()
        exif[271], exif[272] = ("HTC", "HTC One") if path.parts[0] == "One" else ("", "")
        Image.new("RGB", (8, 8)).save(tmp_path / path, exif=exif)
    require_models(tmp_path, found)
    (tmp_path / "One").rename(tmp_path / "Paris")
    with pytest.raises(CamobenchError, match=r"no camera models.*: Paris in .* --layout tree"):
        require_models(tmp_path, [PurePosixPath("Paris/a/1.jpg"), found[1]])
