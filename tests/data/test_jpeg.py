import io
from contextlib import nullcontext, suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.data import ImageError, decode_rgb
from tests.toys import encoded


def picture(width, height, look, seed=0):
    """Flat, half black, noisy or smooth, as (H, W, 3)."""
    noise = np.random.default_rng(seed)
    pixels = noise.integers(0, 256, (height, width, 3), np.uint8)
    if look == "smooth":
        small = Image.fromarray(pixels[: height // 16 + 2, : width // 16 + 2])
        smooth = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC), np.int16)
        pixels = np.clip(smooth + noise.integers(-3, 4, smooth.shape), 0, 255).astype(np.uint8)
    elif look == "half black":
        pixels[height // 2 :] = 0
    elif look != "noise":
        pixels[:] = {"black": 0, "grey": 128, "white": 255}[look]
    return pixels


WAYS = [{}, {"optimize": True}, {"progressive": True}, {"restart_marker_rows": 1}]
WAYS += [{"restart_marker_blocks": 5}, {"restart_marker_blocks": 3, "optimize": True}]


@given(
    way=st.sampled_from(WAYS),
    look=st.sampled_from(["noise", "smooth", "half black", "black", "grey", "white"]),
    size=st.tuples(st.integers(40, 150), st.integers(40, 150)),
    quality=st.sampled_from([5, 50, 92, 100]),
    subsampling=st.integers(0, 2),
    after=st.sampled_from([b"", bytes(99), b"\xff\xd8\xff\xd9"]),
)
def test_what_is_whole_is_decoded(way, look, size, quality, subsampling, after):
    data = encoded(picture(*size, look), quality=quality, subsampling=subsampling, **way)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(image).transpose(2, 0, 1)
    np.testing.assert_array_equal(decode_rgb(data + after, "a.jpg"), expected)


def scan_of(data):
    """Where the data of the first scan is."""
    at = data.index(b"\xff\xda")
    return at + 2 + int.from_bytes(data[at + 2 : at + 4], "big"), len(data) - 2


END = b"\xff\xd9"
LOSSES = {
    "ended": lambda data, at, end: data[:at] + END,
    "ended far behind": lambda data, at, end: data[: end - (end - at) // 9] + END,
    "zeros": lambda data, at, end: data[:at] + bytes(end - at) + END,
    "zeros and text": lambda data, at, end: data[:at] + bytes(64) + b"trailer" + END + b"\0\0",
    "a description amid it": lambda data, at, end: data[:at] + b"\xff\xe1\0\2" + data[at:],
    "no end": lambda data, at, end: data[:at],
    "cut out": lambda data, at, end: data[:at] + data[at + (end - at) // 3 :],
    "one chunk again and again": lambda data, at, end: (
        data[:at] + (data[at - 300 : at] * 99)[: end - at] + END
    ),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_loss_of_data_is_refused(loss, way):
    data = encoded(picture(320, 288, "smooth"), quality=92, **way)
    start, end = scan_of(data)
    damaged = LOSSES[loss](data, start + (end - start) * 2 // 5, end)
    with pytest.raises(ImageError, match=r"holiday\.jpg: cannot be decoded .*replace the file"):
        decode_rgb(damaged, "holiday.jpg")


OVERWRITTEN = {
    "zeros": lambda data, at, length: bytes(length),
    "ones": lambda data, at, length: b"\xff" * length,
    "noise": lambda data, at, length: np.random.default_rng(at).bytes(length),
    "what stands before": lambda data, at, length: data[at - length : at],
}


@pytest.mark.parametrize("length", [512, 4096])
@pytest.mark.parametrize("by", OVERWRITTEN)
def test_most_pictures_with_a_sector_overwritten_are_refused(by, length):
    passed = 0
    for seed, way in enumerate(WAYS * 3):
        data = encoded(picture(480, 400, "smooth", seed), quality=92, **way)
        start, end = scan_of(data)
        at = start + (end - start) // 3
        damaged = data[:at] + OVERWRITTEN[by](data, at, length) + data[at + length :]
        with suppress(ImageError):
            decode_rgb(damaged, "a")
            passed += 1
    assert passed <= 4  # of 18; these have as many units as the picture


@pytest.mark.parametrize(("length", "whole"), [(3, True), (99, False)])
def test_a_camera_may_pad_its_data(length, whole):
    data = encoded(picture(320, 288, "smooth"))
    with nullcontext() if whole else pytest.raises(ImageError, match="extraneous bytes"):
        decode_rgb(data[:-2] + bytes(length) + END, "a")


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_pictures_that_repeat_themselves_are_whole(way):
    rows, columns = np.indices((300, 400))
    texture = np.tile(picture(64, 48, "noise"), (7, 7, 1))[:300, :400]
    for pixels in (
        np.stack([columns // 4, rows // 4, columns % 16 * 8], axis=-1),
        np.broadcast_to(picture(400, 1, "noise"), (300, 400, 3)),
        np.where((rows < 100)[..., None], texture, 255),
        texture,
    ):
        decode_rgb(encoded(pixels.astype(np.uint8), quality=95, **way), "a")


def test_a_picture_without_its_last_scan():
    data = encoded(picture(320, 288, "smooth"), progressive=True)
    grey = encoded(picture(320, 288, "smooth")[..., 0])
    start, end = scan_of(grey)
    at = grey.index(b"\xff\xc0")
    frame = b"\0\x11" + grey[at + 4 : at + 9] + b"\x03\x01\x11\0\x02\x11\0\x03\x11\0"
    scans = [b"\xff\xda\0\x08\x01%c\0\0\x3f\0" % one + grey[start:end] for one in (1, 2, 3)]
    apart = b"".join([grey[: at + 2], frame, grey[at + 13 : start - 10], *scans, END])
    for whole in (data, apart):
        decode_rgb(whole, "a")
        with pytest.raises(ImageError, match="before its last scan"):
            decode_rgb(whole[: whole.rindex(b"\xff\xda")] + END, "a")


ODD = {
    "a scan by a phone of Samsung's": (b"\0\x3f\0", b"\0\0\0"),
    "a later JFIF": (b"JFIF\0\x01\x01", b"JFIF\0\x02\x01"),
}


@pytest.mark.parametrize("odd", ODD)
def test_what_cameras_state_otherwise_harms_no_data_and_hides_no_damage(odd):
    data = encoded(picture(320, 288, "smooth")).replace(*ODD[odd], 1)
    decode_rgb(data, "a")
    with pytest.raises(ImageError, match="premature end"):
        decode_rgb(data[:-500] + END, "a")
