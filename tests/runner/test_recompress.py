import io

import numpy as np
import pytest
import torch
from PIL import Image, JpegImagePlugin

from bench.runner.items import Item
from bench.runner.recompress import RecompressedSource, parse_qualities, saved_as_jpeg
from bench.types import WrongUsageError
from tests.toys import pixels


def by_hand(image, quality):
    """What a file of that quality holds, and how its chroma is sampled."""
    stream = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).numpy()).save(stream, "JPEG", quality=quality)
    with Image.open(stream) as again:
        sampling = JpegImagePlugin.get_sampling(again)
        return torch.from_numpy(np.array(again)).permute(2, 0, 1), sampling


@pytest.mark.parametrize("quality", [70, 95])
def test_images_are_those_of_pillows_file(quality):
    images = pixels(3, 40, 56)
    again = saved_as_jpeg(images, quality)
    assert (again.shape, again.dtype) == (images.shape, torch.uint8)
    for image, made in zip(images, again, strict=True):
        expected, sampling = by_hand(image, quality)
        assert torch.equal(made, expected)
        assert sampling == 2, "4:2:0, Pillow's default"


def test_a_lower_quality_is_further_away():
    images = pixels(2, 64, 64)
    far = [(saved_as_jpeg(images, q).int() - images.int()).abs().sum() for q in (95, 80, 60)]
    assert far[0] < far[1] < far[2]


class Inverted:
    """Gives the negative of an image, where its index is even."""

    targeted = True

    def has(self, item):
        return item.index % 2 == 0

    def anonymise(self, items, originals):
        return 255 - originals


def test_the_anonymised_image_is_saved_not_the_original():
    source, images = RecompressedSource(Inverted(), 80), pixels(2, 32, 32)
    items = [Item(index=i, target=0) for i in (0, 2)]
    assert torch.equal(source.anonymise(items, images), saved_as_jpeg(255 - images, 80))
    assert source.targeted
    assert [source.has(Item(index=i, target=0)) for i in (0, 1)] == [True, False]


@pytest.mark.parametrize(
    ("text", "qualities"),
    [("70,80,90,95", (95, 90, 80, 70)), (" 80 , 80,", (80,)), ("1,100", (100, 1)), ("", ())],
)
def test_qualities(text, qualities):
    assert parse_qualities(text) == qualities


@pytest.mark.parametrize("text", ["0", "101", "70,x", "80.5", "-3", "9²"])
def test_what_is_no_quality(text):
    with pytest.raises(WrongUsageError, match=r"is no JPEG quality: give whole numbers from 1 to"):
        parse_qualities(text)
