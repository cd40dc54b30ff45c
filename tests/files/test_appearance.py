"""What `anonymise` keeps of a photograph's metadata, looked for in the files that it writes."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps
from PIL.TiffImagePlugin import IFDRational

from bench.files.appearance import appearance, nameless_profile
from tests.files.test_photographs import anonymise, photo

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped(profile):
    """The profile with its first two primaries exchanged, so that it is not sRGB."""
    return profile.replace(b"rXYZ", b"____").replace(b"gXYZ", b"rXYZ").replace(b"____", b"gXYZ")


def named(profile):
    """The profile as a camera writes it: a maker in its header, its texts and a tag of its own."""
    text, name = "sRGB".encode("utf-16-be"), "NiKo".encode("utf-16-be")
    profile = bytearray(profile.replace(text, name))
    profile[48:56] = b"NiKoD70 "
    (count,) = struct.unpack_from(">I", profile, 128)
    for place in range(132, 132 + 12 * count, 12):
        if profile[place : place + 4] == b"cprt":
            profile[place : place + 4] = b"dmnd"
    return bytes(profile)


def holds_name(data):
    text = data.lower()
    words = (b"niko", "niko".encode("utf-16-be"), b"d70 ", b"sn-4711")
    return any(word in text for word in words)


def colours(picture, profile):
    to = ImageCms.createProfile("sRGB")
    return np.asarray(ImageCms.profileToProfile(picture, io.BytesIO(profile), to)).astype(int)


@pytest.mark.parametrize("profile", [b"", b"?" * 500, SRGB[:140], SRGB.replace(b"RGB ", b"GRAY")])
def test_what_is_no_profile_of_rgb_is_dropped(profile):
    assert nameless_profile(profile) is None


def camera_file(path, orientation, profile):
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "NIKON", "NIKON D70 "
    exif[0x0112] = orientation
    camera = exif.get_ifd(0x8769)
    camera[0x927C], camera[0xA431] = b"Nikon maker note", "SN-4711"
    photo(
        path,
        (97, 71),
        exif=exif,
        icc_profile=named(profile),
        dpi=(300, 300),
        comment=b"taken by a NIKON",
        xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>NIKON SN-4711</x:xmpmeta>",
        quality=95,
    )
    data = path.read_bytes()
    iptc = b"Photoshop 3.0\x00NIKON SN-4711"
    path.write_bytes(data[:2] + b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc + data[2:])
    return path


@pytest.mark.parametrize(("orientation", "profile"), [(1, SRGB), (6, swapped(SRGB))])
def test_a_file_looks_the_same_and_names_no_camera(smoke, tmp_path, orientation, profile):
    source = camera_file(tmp_path / "a.jpg", orientation, profile)
    assert holds_name(source.read_bytes())
    (made,) = anonymise(smoke, [source], tmp_path / "out", "identity", None)
    with Image.open(source) as before, Image.open(made) as after:
        assert not holds_name(made.read_bytes())
        assert set(after.info) <= {"dpi", "icc_profile", "exif"}
        assert not holds_name(after.info["icc_profile"])
        assert dict(after.getexif()) == ({} if orientation == 1 else {0x0112: orientation})
        assert after.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        seen = [ImageOps.exif_transpose(one).convert("RGB") for one in (before, after)]
        np.testing.assert_array_equal(np.asarray(seen[0]), np.asarray(seen[1]))
        assert seen[1].size == ((97, 71) if orientation == 1 else (71, 97))
        profiles = [one.info["icc_profile"] for one in (before, after)]
        shown = [colours(a, b) for a, b in zip(seen, profiles, strict=True)]
        np.testing.assert_array_equal(*shown)


@pytest.mark.parametrize("density", [IFDRational(72, 0), IFDRational(4 * 10**9, 1)])
def test_a_density_that_cannot_be_is_dropped(tmp_path, density):
    path = photo(tmp_path / "a.tif", (97, 71), tiffinfo={282: density, 283: density, 296: 2})
    with Image.open(path) as image:
        assert "dpi" in image.info
    assert "dpi" not in appearance(path)


def test_a_damaged_exif_is_dropped(tmp_path):
    assert appearance(photo(tmp_path / "a.png", exif=b"Exif\0\0garbage")) == {}
