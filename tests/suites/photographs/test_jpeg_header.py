import io

import pytest
from PIL import Image

from bench.suites.photographs.jpeg_header import nearest_quality, read_camera, read_jpeg_header
from tests.toys import encoded, pixels


def written(kind="JPEG", **options):
    return encoded(pixels(1, 64, 64)[0].permute(1, 2, 0).numpy(), kind, **options)


@pytest.mark.parametrize("quality", range(1, 101, 9))
@pytest.mark.parametrize(("number", "name"), [(0, "4:4:4"), (1, "4:2:2"), (2, "4:2:0")])
def test_quality_and_subsampling_are_those_it_was_written_with(quality, number, name):
    header = read_jpeg_header(written(quality=quality, subsampling=number))
    assert (header["jpeg_quality"], header["jpeg_subsampling"]) == (quality, name)


def test_the_quality_of_a_camera_with_tables_of_its_own_is_the_nearest():
    with Image.open(io.BytesIO(written(quality=50))) as image:
        luma = image.quantization[0]
    coarser = [min(255, round(1.07 * step)) for step in luma]
    assert 45 <= read_jpeg_header(written(qtables=[coarser, [20] * 64]))["jpeg_quality"] < 50
    assert nearest_quality([1] * 64) == 100


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_other_formats_have_none(kind):
    assert read_jpeg_header(written(kind)) == {}


@pytest.mark.parametrize("body", [b"garbage", b"II*\0\xff"])
def test_a_damaged_exif_names_no_camera(body):
    assert read_camera(written("PNG", exif=b"Exif\0\0" + body)) == (None, None)


def test_a_camera_is_named_in_one_line():
    tags = Image.Exif()
    tags[271], tags[272] = "Canon\n", "EOS\x1b 5D\0"
    assert read_camera(written(exif=tags)) == ("Canon EOS 5D", None)
