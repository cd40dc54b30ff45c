import os

import numpy as np
import pytest
from PIL import Image

from bench.data import ImageError, LabelledImages, decode_rgb, read_rgb
from bench.types import CamobenchError
from tests.toys import encoded


def noise():
    return np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_exif_orientation_is_not_applied(orientation):
    exif = Image.Exif()
    exif[274] = orientation
    plain, tagged = encoded(noise()), encoded(noise(), exif=exif)
    assert plain != tagged
    np.testing.assert_array_equal(decode_rgb(tagged, "a"), decode_rgb(plain, "a"))


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xd8\xff"])
def test_not_an_image(data):
    with pytest.raises(ImageError, match=r"notes\.jpg: not an image; replace the file") as error:
        decode_rgb(data, "notes.jpg")
    assert "0x" not in str(error.value)


def test_read_rgb_names_the_path(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encoded(noise(), "PNG"))
    np.testing.assert_array_equal(read_rgb(path), noise().transpose(2, 0, 1))
    with pytest.raises(ImageError, match=r"missing\.jpg: cannot be read \(No such file"):
        read_rgb(tmp_path / "missing.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in (tmp_path, tmp_path / "pipe.jpg"):
        with pytest.raises(ImageError, match="cannot be read"):
            read_rgb(path)


def labelled(**changes):
    values = {
        "images": np.zeros((4, 3, 8, 8), np.uint8),
        "labels": np.array([0, 0, 1, 1]),
        "classes": ("one", "two"),
        "validation": np.array([False, True, False, True]),
    }
    return LabelledImages(**(values | changes))


def test_an_empty_class_is_named():
    assert labelled().classes == ("one", "two")
    with pytest.raises(CamobenchError, match="no training image of three: add images"):
        labelled(classes=("one", "two", "three"))
    with pytest.raises(CamobenchError, match="no validation image of two: add images"):
        labelled(validation=np.array([False, True, False, False]))


def test_labelled_images_checks_shapes():
    with pytest.raises(ValueError, match=r"expected uint8 `images` .* got float32"):
        labelled(images=np.zeros((4, 3, 8, 8), np.float32))
    with pytest.raises(ValueError, match=r"\(N, 3, H, W\), got uint8 \(4, 8, 8, 3\)"):
        labelled(images=np.zeros((4, 8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="expected 4 labels and validation flags, got 3 and 4"):
        labelled(labels=np.array([0, 0, 1]))
