from itertools import product
from pathlib import Path, PurePosixPath

import pytest
from PIL import Image

from bench.suites.photographs.camera_names import names_a_model, plain_shot, require_models
from bench.suites.photographs.layouts import DRESDEN, TREE, detect_layout
from bench.types import CamobenchError

NO_MODELS = (
    *("natural", "flatfield", "Flat_Fields", "train", "val", "TEST", "training", "validation"),
    *("testing", "set1", "Set-A", "trainB", "fold0", "A", "B", "c", "original", "edited", "orig"),
    *("forged", "pristine", "fake", "real", "cropped", "raw", "images", "photos", "IMG", "DCIM"),
    *("100CANON", "jpeg", "png", "q90", "JPEG_90", "QF95", "iso-200", "512x512", "2019", "1"),
    *("007", "2019-05-04", "20190504", "May 2019", "device-1", "camera", "natural images"),
    *("trainset", "TESTSET", "Trainingsdaten", "Monday", "session1", "session10", "run2", "run12"),
    *("batch1", "class0", "label_0", "group_a", "cv0", "cv10", "Au", "Sp", "cover", "stego", "q2"),
    *("sRGB", "AdobeRGB", "rgb", "gray", "seen", "unseen", "with_flash", "London", "1st", "10th"),
    *("train_Canon", "D01_Acme_One", "2020-01-01T10", "Rome2019", "wk12", "500kb", "35mm"),
    *("sigma_10", "Canon_generated", "Google_Photos", "Canon_600D_whatsapp", "iPhone_screenshots"),
)
MODELS = (
    *("Canon, Inc. EOS 5D", "Nikon_D70", "D70", "GX100", "iPhone 4s", "HTC-1-M7", "Pixel 8"),
    *("Apple_iPhone-XR", "Hewlett-Packard_hp-PhotoSmart-43x-series", "Olympus_C920Z,D450Z"),
    *("Samsung_GalaxyS3Mini", "Meizu_m1-note", "Sony_CYBERSHOT", "600D", "simcam-01", "RX100"),
    *("Sigma_SD14", "Sigma", "Samsung Galaxy Z Fold 3", "FinePix REAL 3D W3"),
    *("Model0", "model_a", "cam-a", "Phone 2"),
    *("Leica Q2", "Leica Q3", "Nothing Phone 1", "ixus70", "Huawei P9"),
    *("Eastman_KODAK-DC280-ZOOM-DIGITAL-CAMERA", "Seiko_PhotoPC-3100Z", "Olympus_mju-1050SW"),
)


def test_names_of_camera_models_are_told_from_others():
    assert [name for name in NO_MODELS if names_a_model(name)] == []
    assert [name for name in MODELS if not names_a_model(name)] == []


def paths(*names, shots=2):
    return [PurePosixPath(f"{name}/IMG_{shot}.jpg") for name in names for shot in range(shots)]


def refusal(*names):
    found = paths(*names)
    assert detect_layout(found) is TREE
    with pytest.raises(CamobenchError) as error:
        require_models(Path("mine"), found)
    return str(error.value)


def test_sets_above_cameras_are_named_with_what_is_below():
    said = refusal("training/D01_Acme_One", "validation/D01_Acme_One", "testing/D02_Acme_Two")
    assert said.startswith("no camera models, by name or EXIF: testing, training, validation")
    assert "MODEL/DEVICE/IMAGE.jpg" in said
    assert "--layout tree" in said


def test_what_file_names_are_read_as_is_doubted_too():
    fine = PurePosixPath("Nikon_D70_0_1.jpg")
    for name in ("train_Canon_0_1.jpg", "IMG_20190501_100000_01.jpg"):
        with pytest.raises(CamobenchError, match=rf"no camera models.* {name} .*--layout dresden"):
            require_models(Path("mine"), [fine, PurePosixPath(name)], DRESDEN)
    require_models(Path("mine"), [fine], DRESDEN)


@pytest.mark.parametrize(
    ("devices", "shots", "believed"),
    [
        ("0001 0002 0003 0004", 1, False),
        ("0 1 2 3 4", 2, False),
        ("20190501 20190502", 9, False),
        ("6 7 8", 9, False),
        ("0 2 4", 3, True),
        ("1 2", 1, True),
        ("600", 9, True),
    ],
)
def test_counters_dates_and_types_in_file_names_are_no_devices(devices, shots, believed):
    pairs = product(devices.split(), range(shots))
    found = [PurePosixPath(f"Apple_iPhone_{device}_{shot}.jpg") for device, shot in pairs]
    if believed:
        require_models(Path("mine"), found, DRESDEN)
    else:
        with pytest.raises(CamobenchError, match=r"no devices.* Apple_iPhone, .*--layout dresden"):
            require_models(Path("mine"), found, DRESDEN)


@pytest.mark.parametrize(
    ("folders", "named"),
    [
        (("Canon/train", "Canon/test", "Nikon/train"), "Canon/test, Canon/train"),
        (("Canon/natural", "Canon/flat", "Nikon/dev0"), "Canon/flat, Canon/natural"),
        (("Canon/dev0", "Canon/flatfield", "Nikon/dev0"), "Canon/flatfield"),
        (("Canon/2019", "Canon/2020", "Nikon/dev0"), "Canon/2019, Canon/2020"),
        (("Canon/2020-01-01", "Canon/2020-02-01"), "Canon/2020-01-01, Canon/2020-02-01"),
        (("Canon/May 1 2020", "Canon/20200102 1"), "Canon/20200102 1, Canon/May 1 2020"),
        (("Canon/jpeg", "Canon/png", "Nikon/jpeg"), "Canon/jpeg, Canon/png"),
        (("Canon/100CANON", "Canon/101CANON", "Nikon/a"), "Canon/100CANON, Canon/101CANON"),
    ],
)
def test_kinds_of_images_are_no_devices(folders, named):
    assert f"no devices but kinds of images: {named} in mine" in refusal(*folders)


def test_one_device_below_several_models_is_named():
    said = refusal("Canon/anna", "Nikon/anna", "Nikon/bob")
    assert "one device below several camera models in mine: anna in Canon, Nikon" in said


@pytest.mark.parametrize(
    "device", ["device-1", "dev0", "0", "D01", "a", "unknown", "jpeg", "cam 2"]
)
def test_devices_that_are_counted_may_be_below_every_model(device):
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


@pytest.mark.parametrize(
    ("shot", "plain"),
    [
        ("IMG_1 (2)", "IMG_1"),
        ("IMG_1_edited", "IMG_1"),
        ("IMG_1-copy", "IMG_1"),
        ("IMG_1_2", "IMG_1_2"),
        ("D14_L3S2C1", "D14_L3S2C1"),
        ("IMG_edited", "IMG_edited"),
    ],
)
def test_versions_of_a_shot(shot, plain):
    assert plain_shot(shot) == plain
