import io

import pytest
from PIL import Image

from bench.suites.layouts.jpeg_header import (
    ANNEX_K_LUMA,
    nearest_quality,
    read_jpeg_header,
)
from tests.toys import pixels


def encoded(kind="JPEG", mode="RGB", **options):
    picture = Image.fromarray(pixels(1, 64, 64)[0].permute(1, 2, 0).numpy()).convert(mode)
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("quality", range(1, 101, 3))
def test_the_quality_is_the_one_it_was_written_with(quality):
    header = read_jpeg_header(encoded(quality=quality))
    assert header["jpeg_quality"] == quality


def test_the_quality_of_a_camera_with_tables_of_its_own_is_the_nearest():
    coarser = [min(255, round(1.07 * step)) for step in ANNEX_K_LUMA]
    chroma = [20] * 64
    assert read_jpeg_header(encoded(qtables=[list(ANNEX_K_LUMA), chroma]))["jpeg_quality"] == 50
    assert 45 <= read_jpeg_header(encoded(qtables=[coarser, chroma]))["jpeg_quality"] < 50
    assert nearest_quality([1] * 64) == 100


@pytest.mark.parametrize(("number", "name"), [(0, "4:4:4"), (1, "4:2:2"), (2, "4:2:0")])
def test_subsampling(number, name):
    assert read_jpeg_header(encoded(subsampling=number))["jpeg_subsampling"] == name


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_other_formats_have_none(kind):
    assert read_jpeg_header(encoded(kind)) == {}
