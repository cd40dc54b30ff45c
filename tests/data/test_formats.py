import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, TiffTags
from PIL.PngImagePlugin import putchunk
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from bench.data import ImageError, decode_rgb, measure_rgb
from tests.toys import encoded

PIXELS = np.random.default_rng(2).integers(0, 256, (48, 64, 3), np.uint8)
RGB = Image.fromarray(PIXELS)
GREY = PIXELS[..., 0]
DEEP = PIXELS.astype(np.uint16) * 257
BITS, COMPRESSION, PHOTOMETRIC, CHANNELS, PLANAR, EXTRA, SAMPLES = 258, 259, 262, 277, 284, 338, 339


def deep_png(values):
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, 2, 0, 0, 0)
    stream = io.BytesIO()
    stream.write(b"\x89PNG\r\n\x1a\n")
    for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        putchunk(stream, kind, body)
    return stream.getvalue()


def tiff(*strips, **tags):
    """A TIFF of 8-bit RGB unless `tags`, by number, say otherwise."""
    height, width = PIXELS.shape[:2]
    fields = {256: [width], 257: [height], BITS: [8] * 3, COMPRESSION: [1], PHOTOMETRIC: [2]}
    fields |= {CHANNELS: [3], 278: [height], PLANAR: [1]}
    fields |= {int(number.removeprefix("t")): values for number, values in tags.items()}
    sizes = [*map(len, strips)]
    fields |= {273: [sum(sizes[:i]) for i in range(len(sizes))], 279: sizes}
    directory = ImageFileDirectory_v2()
    for number, values in fields.items():
        directory.tagtype[number] = TiffTags.LONG
        directory[number] = tuple(values)
    return b"II*\0\x08\0\0\0" + b"".join([directory.tobytes(8), *strips])


PLANES = [PIXELS[..., channel].tobytes() for channel in range(3)]
ACCEPTED = {
    "png": encoded(RGB, "PNG"),
    "tiff": encoded(RGB, "TIFF"),
    "lzw": encoded(RGB, "TIFF", compression="tiff_lzw"),
    "planar": tiff(*PLANES, t284=[2]),
    "planar, deflated": tiff(*map(zlib.compress, PLANES), t284=[2], t259=[8]),
    **{f"tiff turned {turn}": encoded(RGB, "TIFF", tiffinfo={274: turn}) for turn in range(1, 9)},
    **{
        f"lzw turned {turn}": encoded(RGB, "TIFF", tiffinfo={274: turn}, compression="tiff_lzw")
        for turn in (3, 6)
    },
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_8_bit_rgb_is_read_as_it_is_stored(name):
    decoded = decode_rgb(ACCEPTED[name], name)
    assert (decoded.dtype, decoded.flags.c_contiguous) == (np.uint8, True)
    np.testing.assert_array_equal(decoded, PIXELS.transpose(2, 0, 1))
    assert measure_rgb(ACCEPTED[name], name) == (64, 48)


FOUR = np.dstack([PIXELS, GREY]).tobytes()
REFUSED = {
    "16-bit png": (deep_png(DEEP), "16 bits a channel"),
    "12 bits in 16": (deep_png(DEEP >> 4), "16 bits a channel"),
    "16-bit tiff": (tiff(DEEP.tobytes(), t258=[16] * 3), "16 bits a channel"),
    "16-bit grey": (encoded(Image.fromarray(DEEP[..., 0]), "PNG"), "more than 8 bits"),
    "float": (encoded(Image.fromarray(GREY.astype(np.float32)), "TIFF"), "32 float bits"),
    "float rgb": (tiff(PIXELS.astype("<f4").tobytes(), t258=[32] * 3, t339=[3] * 3), "TIFF"),
    "signed": (tiff(PIXELS.tobytes(), t339=[2] * 3), "TIFF"),
    "32 bits": (encoded(Image.fromarray(GREY.astype(np.int32)), "TIFF"), "32"),
    "a fourth channel": (tiff(FOUR, t258=[8] * 4, t277=[4], t338=[0]), "4 channels"),
    "alpha tiff": (tiff(FOUR, t258=[8] * 4, t277=[4], t338=[2]), "RGBA"),
    "ycbcr tiff": (tiff(PIXELS.tobytes(), t262=[6], t530=[1, 1]), "YCbCr|photometric kind 6"),
    "lab tiff": (tiff(PIXELS.tobytes(), t262=[8]), "LAB"),
    **{
        way: (encoded(RGB, "TIFF", compression=way), f"compressed by {way}")
        for way in ("jpeg", "packbits")
    },
    "two pages": (encoded(RGB, "TIFF", save_all=True, append_images=[RGB]), "2 pictures"),
    "a strip too few": (tiff(PIXELS.tobytes(), t257=[96]), "strips or tiles of it are missing"),
    "strips of no rows": (tiff(PIXELS.tobytes(), t278=[0]), "strips or tiles of it are missing"),
    "a heic": (b"\0\0\0\x18ftypheic" + bytes(96), "a HEIF, an AVIF or a video"),
    "a short strip": (tiff(PIXELS.tobytes()[:-9]), "strips or tiles of it are missing"),
    "a preview alone": (tiff(PIXELS.tobytes(), t254=[1]), "a reduced version"),
    "half a tiff": (encoded(RGB, "TIFF")[:-3000], "cannot be decoded"),
    "grey jpeg": (encoded(RGB.convert("L"), "JPEG"), "mode is L"),
    "cmyk jpeg": (encoded(RGB.convert("CMYK"), "JPEG"), "mode is CMYK"),
    "cmyk tiff": (encoded(RGB.convert("CMYK"), "TIFF"), "mode is CMYK"),
    "1 bit": (encoded(RGB.convert("1"), "TIFF"), "mode is 1"),
    "grey and alpha": (encoded(RGB.convert("LA"), "PNG"), "mode is LA"),
    "palette": (encoded(RGB.quantize(16), "PNG"), "mode is P"),
    "palette, transparent": (encoded(RGB.quantize(16), "PNG", transparency=3), "mode is P"),
    "a transparent colour": (encoded(RGB, "PNG", transparency=(1, 2, 3)), "transparent colour"),
    "animation": (
        encoded(RGB, "PNG", save_all=True, append_images=[RGB.rotate(180)]), "an animation"),
    "other rows": (encoded(RGB, "PNG")[:-40] + encoded(RGB, "PNG")[-12:], "cannot be decoded"),
    **{kind: (encoded(RGB, kind), f"a {kind}, expected a JPEG") for kind in ("GIF", "BMP", "WEBP")},
    "deep ppm": (b"P6 4 4 65535\n" + bytes(96), "a PPM, expected a JPEG"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_refused_by_what_it_is_and_what_to_do(name):
    data, said = REFUSED[name]
    for read in (decode_rgb, measure_rgb):
        with pytest.raises(ImageError, match=rf"^photo: .*({said}).*; \w+"):
            read(data, "photo")


@pytest.mark.parametrize("compression", ["tiff_adobe_deflate", "tiff_deflate"])
@pytest.mark.parametrize("length", [8, 64, 2048])
def test_a_damaged_tiff_with_a_checksum_is_refused(compression, length):
    whole = encoded(RGB, "TIFF", compression=compression)
    at = len(whole) // 2
    for put in (bytes(length), whole[at - length : at], whole[at : at + length][::-1]):
        with pytest.raises(ImageError, match="cannot be decoded"):
            decode_rgb(whole[:at] + put + whole[at + length :], "photo")


def test_the_first_picture_of_several_in_a_jpeg_is_the_photograph():
    alone = encoded(RGB, "JPEG", quality=90)
    several = encoded(RGB, "MPO", quality=90, save_all=True, append_images=[RGB.rotate(180)])
    np.testing.assert_array_equal(decode_rgb(several, "a"), decode_rgb(alone, "b"))
