import io

import numpy as np
import pytest
from PIL import Image

from bench.data import AdversarySet, ImageError, LabelledImages, decode_rgb, read_rgb
from bench.types import CamobenchError


def noise(height=48, width=64, channels=3):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


def encoded(pixels, kind="PNG", mode=None, **options):
    stream = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(stream, kind, **options)
    return stream.getvalue()


def test_decoding_keeps_every_pixel_and_its_place():
    pixels = noise()
    decoded = decode_rgb(encoded(pixels), "a.png")
    assert decoded.dtype == np.uint8
    assert decoded.flags.c_contiguous
    np.testing.assert_array_equal(decoded, pixels.transpose(2, 0, 1))


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_exif_orientation_is_not_applied(orientation):
    exif = Image.Exif()
    exif[274] = orientation
    plain, tagged = encoded(noise(), "JPEG"), encoded(noise(), "JPEG", exif=exif)
    assert plain != tagged
    np.testing.assert_array_equal(decode_rgb(tagged, "a"), decode_rgb(plain, "a"))


@pytest.mark.parametrize("share", [0.05, 0.5, 0.999])
def test_truncated_jpeg(share):
    data = encoded(noise(), "JPEG")
    with pytest.raises(ImageError, match=r"holiday\.jpg: cannot be decoded .*replace the file"):
        decode_rgb(data[: int(share * len(data))], "holiday.jpg")


def test_truncated_png():
    data = encoded(noise())
    with pytest.raises(ImageError, match=r"a\.png: cannot be decoded"):
        decode_rgb(data[: len(data) // 2], "a.png")


@pytest.mark.parametrize(
    ("mode", "kind"), [("L", "JPEG"), ("CMYK", "JPEG"), ("RGBA", "PNG"), ("P", "PNG"), ("1", "PNG")]
)
def test_other_than_rgb_is_refused_with_its_mode(mode, kind):
    with pytest.raises(ImageError, match=rf"a: image mode is {mode}, expected 8-bit RGB"):
        decode_rgb(encoded(noise(), kind, mode), "a")


def test_16_bit_greyscale_is_refused():
    with pytest.raises(ImageError, match="more than 8 bits"):
        decode_rgb(encoded(noise(channels=1).astype(np.uint16)), "a")


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xd8\xff"])
def test_not_an_image(data):
    with pytest.raises(ImageError, match=r"notes\.jpg: not an image; replace the file") as error:
        decode_rgb(data, "notes.jpg")
    assert "0x" not in str(error.value)


def test_read_rgb_names_the_path(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encoded(noise()))
    np.testing.assert_array_equal(read_rgb(path), noise().transpose(2, 0, 1))
    with pytest.raises(ImageError, match=r"missing\.jpg: cannot be read \(No such file"):
        read_rgb(tmp_path / "missing.jpg")
    with pytest.raises(ImageError, match="cannot be read"):
        read_rgb(tmp_path)


def labelled(kind=LabelledImages, **changes):
    values = {
        "images": np.zeros((4, 3, 8, 8), np.uint8),
        "labels": np.array([0, 0, 1, 1]),
        "classes": ("one", "two"),
        "validation": np.array([False, True, False, True]),
    }
    return kind(**(values | changes))


def test_labelled_images_accepts_a_training_and_a_validation_image_of_each_class():
    assert labelled(AdversarySet).classes == ("one", "two")


def test_an_empty_class_is_named():
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
