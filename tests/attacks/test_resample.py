import numpy as np
import pytest
from PIL import Image

from bench.contract import ATTACKS
from tests.toys import built, pixels


@pytest.mark.parametrize(("height", "width"), [(64, 64), (65, 97)])
def test_it_is_pillows_bicubic_there_and_back(height, width):
    attack, images = built(ATTACKS, "resample"), pixels(2, height, width)
    factor = attack.constants["factor"]
    found = attack.transform(images.float() / 255, None).numpy() * 255
    between = round(width * factor), round(height * factor)
    for planes, result in zip(images.numpy(), found, strict=True):
        for plane, got in zip(planes, result, strict=True):
            there = Image.fromarray(plane.astype(np.float32)).resize(between, Image.BICUBIC)
            back = np.asarray(there.resize((width, height), Image.BICUBIC))
            np.testing.assert_allclose(got, back, rtol=0, atol=2e-3)
    assert np.abs(found - images.numpy()).mean() > 1
