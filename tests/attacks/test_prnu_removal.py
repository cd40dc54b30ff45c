import numpy as np
import torch

from attacks.prnu_removal import explained
from bench.contract import ATTACKS
from bench.data import AdversarySet
from bench.signal.wavelet import wdf_residual
from tests.toys import CLASSES, built, fit_context


def marked(patterns, labels, side, seed):
    """Smooth scenes times 1 + K of their model, with noise: uint8 (N, 3, side, side)."""
    random = np.random.default_rng(seed)
    wave = 0.5 + 0.2 * np.sin(np.linspace(0, 3, side) + random.uniform(0, 6, (len(labels), 3, 1)))
    scenes = (wave[..., None, :] + wave[..., None]) / 2
    scale = -(-side // 16)
    factors = 1 + np.tile(patterns, (1, 1, scale, scale))[labels][..., :side, :side]
    noisy = 255 * scenes * factors + random.normal(0, 1.5, scenes.shape)
    return noisy.round().clip(0, 255).astype(np.uint8)


def held(images, pattern):
    """Mean correlation of residuals with I K."""
    unit = torch.from_numpy(images).float() / 255
    residual, share = wdf_residual(unit), unit * torch.from_numpy(np.tile(pattern, (1, 4, 4)))
    return np.mean(
        [
            np.corrcoef(one.flatten(), other.flatten())[0, 1]
            for one, other in zip(residual, share, strict=True)
        ]
    )


def test_the_pattern_of_a_model_is_learnt_and_taken_away():
    random = np.random.default_rng(0)
    patterns = random.normal(0, 0.01, (3, 3, 16, 16))
    labels = np.repeat(np.arange(3), 12)
    data = AdversarySet(
        images=marked(patterns, labels, 64, 1),
        labels=labels,
        classes=CLASSES,
        validation=np.arange(36) % 12 == 0,
    )
    attack = built(ATTACKS, "prnu-removal")
    attack.fit(data, fit_context())
    for learnt, true in zip(attack.patterns.numpy(), patterns, strict=True):
        assert np.corrcoef(learnt.ravel(), true.ravel())[0, 1] > 0.9
    for label, pattern in enumerate(patterns):
        images = marked(patterns, np.full(4, label), 64, 2)
        before, after = (
            held(images, pattern),
            held(attack(torch.from_numpy(images)).numpy(), pattern),
        )
        assert before > 0.5
        assert abs(after) < before / 5
    bare = marked(0 * patterns, np.zeros(4, int), 64, 3)
    assert np.abs(attack(torch.from_numpy(bare)).numpy().astype(int) - bare).max() <= 1


def test_amounts_are_those_of_least_squares():
    random = np.random.default_rng(0)
    residual, shares = random.normal(size=(2, 500)), random.normal(size=(2, 3, 500))
    found = explained(torch.from_numpy(residual), torch.from_numpy(shares))
    for one, basis, got in zip(residual, shares, found, strict=True):
        amounts, *_ = np.linalg.lstsq(basis.T, one, rcond=None)
        np.testing.assert_allclose(got, amounts @ basis, atol=1e-4)
