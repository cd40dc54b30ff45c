import numpy as np
import pytest
import torch

from bench.contract import VICTIMS
from bench.data import ExaminerSet
from tests.toys import CLASSES, built, camera_set, fit_context, pixels

AROUND = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


def counted(plane):
    """Shares of uniform patterns by the numbers they spell, all others last, pixel by pixel."""
    shares = {}
    for y in range(1, plane.shape[0] - 1):
        for x in range(1, plane.shape[1] - 1):
            ring = [int(plane[y + v, x + u] >= plane[y, x]) for v, u in AROUND]
            changes = sum(ring[i] != ring[i - 1] for i in range(8))
            spelt = sum(bit << turn for turn, bit in enumerate(ring)) if changes <= 2 else 256
            shares[spelt] = shares.get(spelt, 0) + 1
    uniform = [
        code
        for code in range(256)
        if sum((code >> i & 1) != (code >> (i + 1) % 8 & 1) for i in range(8)) <= 2
    ]
    total = sum(shares.values())
    return [shares.get(code, 0) / total for code in (*uniform, 256)]


def test_features_are_patterns_of_the_image_of_errors_and_of_the_diagonal_band():
    image = pixels(1, 17, 20)
    expected = []
    planes = [image[0, channel].numpy().astype(int) for channel in range(2)]
    for plane in planes:
        expected += counted(plane)
    for plane in planes:
        errors = np.zeros((16, 19), int)
        for y, x in np.ndindex(16, 19):
            corner, above, left = plane[y, x], plane[y, x + 1], plane[y + 1, x]
            guess = sorted((above, left, above + left - corner))[1]
            errors[y, x] = plane[y + 1, x + 1] - guess
        expected += counted(errors)
    for plane in planes:
        a, b, c, d = (plane[y:16:2, x::2] for y in (0, 1) for x in (0, 1))
        expected += counted(a - b - c + d)
    found = built(VICTIMS, "lbp-svm").frontend(image.float() / 255)
    assert found.shape == (1, 354)
    np.testing.assert_allclose(found[0].numpy(), np.sqrt(expected), rtol=0, atol=1e-12)


@pytest.fixture(scope="module")
def textured():
    """Classes that differ by how their noise hangs together."""
    data = camera_set(ExaminerSet, 8)
    noise = np.random.default_rng(0).normal(0, 6, data.images.shape)
    for label, images in enumerate(noise):
        noise[label] = images + data.labels[label] / 2 * np.roll(images, 1, -1)
    images = (120 + noise).round().clip(0, 255).astype(np.uint8)
    return ExaminerSet(
        images=images, labels=data.labels, classes=CLASSES, validation=data.validation
    )


def test_it_learns_texture(textured):
    victim = built(VICTIMS, "lbp-svm")
    report = victim.fit(textured, fit_context())
    held_out = textured.validation
    logits = victim(torch.from_numpy(textured.images[held_out]).float() / 255)
    assert (logits.argmax(1).numpy() == textured.labels[held_out]).all()
    assert report.figures["validation_accuracy_percent"] == 100
