import io

import numpy as np
import pytest
from PIL import Image

from bench.suites.layouts.jpeg_header import (
    ANNEX_K_LUMA,
    JpegHeader,
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
    assert header.quality == quality


def test_the_quality_of_a_camera_with_tables_of_its_own_is_the_nearest():
    coarser = [min(255, round(1.07 * step)) for step in ANNEX_K_LUMA]
    chroma = [20] * 64
    assert read_jpeg_header(encoded(qtables=[list(ANNEX_K_LUMA), chroma])).quality == 50
    assert 45 <= read_jpeg_header(encoded(qtables=[coarser, chroma])).quality < 50
    assert nearest_quality([1] * 64) == 100


@pytest.mark.parametrize(("number", "name"), [(0, "4:4:4"), (1, "4:2:2"), (2, "4:2:0")])
def test_subsampling(number, name):
    assert read_jpeg_header(encoded(subsampling=number)).subsampling == name


def test_a_digest_is_of_all_tables():
    luma, chroma = list(range(1, 65)), list(range(2, 66))
    first = read_jpeg_header(encoded(qtables=[luma, chroma]))
    assert first.tables == read_jpeg_header(encoded(qtables=[luma, chroma], subsampling=0)).tables
    other = read_jpeg_header(encoded(qtables=[luma, chroma[::-1]]))
    assert other.tables != first.tables
    assert other.quality == first.quality
    assert len({read_jpeg_header(encoded(quality=q)).tables for q in range(20, 30)}) == 10


def test_grey_has_no_subsampling_with_a_name():
    assert read_jpeg_header(encoded(mode="L")).subsampling == "other"


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_other_formats_have_none(kind):
    assert read_jpeg_header(encoded(kind)) == JpegHeader()


def test_a_multi_picture_file_is_a_jpeg():
    pictures = [Image.fromarray(np.full((64, 64, 3), 9 * n, np.uint8)) for n in (1, 2)]
    stream = io.BytesIO()
    pictures[0].save(stream, "MPO", save_all=True, append_images=pictures[1:], quality=80)
    assert read_jpeg_header(stream.getvalue()).quality == 80
