import io

import numpy as np
import pytest
import torch
from PIL import Image, JpegImagePlugin

from bench.jobs.scoring.condition import (
    PLAIN,
    Condition,
    conditions_of,
    parse_qualities,
    parse_strengths,
    saved_as_jpeg,
)
from bench.types import WrongUsageError
from tests.toys import encoded, pixels


def by_hand(image, quality):
    """What a file of that quality holds, and how its chroma is sampled."""
    with Image.open(io.BytesIO(encoded(image.permute(1, 2, 0).numpy(), quality=quality))) as again:
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


def test_the_anonymised_image_is_saved_not_the_original():
    images = pixels(2, 32, 32)
    found = Condition(quality_percent=80).of(images, 255 - images)
    assert torch.equal(found, saved_as_jpeg(255 - images, 80))


@pytest.mark.parametrize("strength", [0.25, 0.5, 0.9])
def test_strength_is_a_share_of_the_change_rounded_again(strength):
    originals, changed = pixels(2, 16, 16, seed=1), pixels(2, 16, 16, seed=2)
    x, g = originals.numpy().astype(float), changed.numpy().astype(float)
    expected = np.rint(x + strength * (g - x)).astype(np.uint8)
    found = Condition(strength=strength).of(originals, changed).numpy()
    assert found.dtype == np.uint8
    tied = np.abs((x + strength * (g - x)) % 1 - 0.5) < 1e-9
    assert (found == expected)[~tied].all()
    assert (np.abs(found.astype(int) - expected)[tied] <= 1).all()


def test_each_condition_has_an_identity_and_the_plain_one_none():
    found = conditions_of((0.5, 1.0), (90,))
    assert found == (PLAIN, Condition(strength=0.5), Condition(quality_percent=90))
    assert PLAIN.identity == {}
    assert len({str(one.identity) for one in found}) == 3


@pytest.mark.parametrize(
    ("parse", "text", "expected"),
    [
        (parse_qualities, "70,80,90,95", (95, 90, 80, 70)),
        (parse_qualities, " 80 , 80,", (80,)),
        (parse_qualities, "1,100", (100, 1)),
        (parse_qualities, "", ()),
        (parse_qualities, (80, 95), (95, 80)),
        (parse_strengths, "1, 0.25,.5,", (0.25, 0.5, 1.0)),
        (parse_strengths, [1, 0.5], (0.5, 1.0)),
    ],
)
def test_conditions_as_people_give_them(parse, text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize("text", ["0", "101", "70,x", "-3", "9²", "nan", "80.5", "1_0", "+80"])
def test_what_is_no_condition(text):
    for parse, word in ((parse_qualities, "JPEG quality"), (parse_strengths, "strength")):
        with pytest.raises(WrongUsageError, match=f"is no {word}"):
            parse(text)
