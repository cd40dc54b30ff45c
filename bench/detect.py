"""Was this picture treated by an anonymiser? What detectors read of an image, and who reads it.

Features are four short vectors of numbers. Bonettini et al. 2019 train residual networks of 23
million weights on the same four inputs; these are the summaries that a linear classifier learns
from in seconds, so a stronger detector may see more: an AUC near 0.5 here says that these do not,
never that nothing does.

Detectors are linear and trained on Set-B, in regimes after the same authors. Known: on untouched
images against those of the attack that is tested. Unseen: against those of all other attacks, none
of the tested one. Unrelated: without its next of kin too. Originals: on untouched images alone, as
one class.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from bench.signal.cooccurrence import FEATURES, spam_features
from bench.signal.wavelet import wdf_residual

VERSION = 1
"""Raise it when features change: they are then measured anew."""
LAGS = tuple((y, x) for y in range(4) for x in range(-3, 4) if (y, x) > (0, 0))
"""Half of the neighbourhood: the other half says the same."""
LEVELS = (0.5, 1.0, 2.0, 4.0, 8.0)
SPECTRUM = (16, 8)
BLOCK = 8
TO_YCBCR = ((0.299, 0.587, 0.114), (-0.1687, -0.3313, 0.5), (0.5, -0.4187, -0.0813))


def features_of(images: Tensor) -> dict[str, Tensor]:
    """Each detector's features.

    Args:
        images: (N, 3, H, W) uint8, sides of at least 16 pixels.

    Returns:
        (N, F) float32 by detector.
    """
    residual = wdf_residual(images.float() / 255)
    return {name: measure(images, residual).float().cpu() for name, measure in _MEASURES.items()}


def _spam(images: Tensor, residual: Tensor) -> Tensor:
    """Transitions of pixel differences (`bench.signal.cooccurrence`), mean of the planes: 686."""
    return spam_features(images.flatten(0, 1)).view(-1, 3, FEATURES).mean(1)


def _residual(images: Tensor, residual: Tensor) -> Tensor:
    """Size, shape and correlations of the noise residual: 99 of three planes."""
    deviation = residual.std((2, 3), keepdim=True) + 1e-3
    unit = (residual - residual.mean((2, 3), keepdim=True)) / deviation
    found = [deviation.flatten(1).log(), (unit.abs().mean((2, 3)) + 1e-3).log()]
    found += [(unit.pow(4).mean((2, 3)) + 1e-3).log()]
    height, width = unit.shape[-2:]
    for y, x in LAGS:
        here = unit[..., y:, max(0, x) : width + min(0, x)]
        there = unit[..., : height - y, max(0, -x) : width - max(0, x)]
        found.append((here * there).mean((2, 3)))
    found.append((unit * unit.roll(1, 1)).mean((2, 3)))  # between planes
    found += [(residual.abs() < level).float().mean((2, 3)) for level in LEVELS]
    return torch.cat(found, 1)


def _fourier(images: Tensor, residual: Tensor) -> Tensor:
    """Logarithm of the residual's Fourier magnitude, in 16 x 8 bins of each plane's half."""
    spectrum = torch.fft.rfft2(residual - residual.mean((2, 3), keepdim=True))[..., :-1].abs()
    return F.adaptive_avg_pool2d(torch.fft.fftshift((spectrum + 1).log(), 2), SPECTRUM).flatten(1)


def _image(images: Tensor, residual: Tensor) -> Tensor:
    """The image itself in 8 x 8 cosine blocks, on the grid of a JPEG file and between it.

    Of each coefficient of Y, Cb and Cr its mean size, and how often it is next to nothing: 768.
    """
    from scipy.fft import dct  # slow to import, and only this asks for it

    colours = torch.einsum("cp,nphw->nchw", torch.tensor(TO_YCBCR).to(residual), images.float())
    waves = torch.from_numpy(dct(torch.eye(BLOCK).numpy(), axis=0, norm="ortho")).to(residual)
    found = []
    for start in (0, BLOCK // 2):
        blocks = colours[..., start:, start:].unfold(2, BLOCK, BLOCK).unfold(3, BLOCK, BLOCK)
        sizes = (waves @ blocks @ waves.T).abs().flatten(2, 3)  # N, 3, blocks, 8, 8
        found += [(sizes.mean(2) + 0.1).log(), (sizes < 0.5).float().mean(2)]
    return torch.cat([one.flatten(1) for one in found], 1)


_MEASURES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "spam": _spam,
    "residual": _residual,
    "fourier": _fourier,
    "image": _image,
}
DETECTORS = tuple(_MEASURES)


Regime: TypeAlias = Literal["known", "unseen", "unrelated", "originals"]
REGIMES: tuple[Regime, ...] = ("known", "unseen", "unrelated", "originals")
Features: TypeAlias = NDArray[np.float32]
Scorer: TypeAlias = Callable[[Features], NDArray[np.float64]]
COST = 0.1
"""Of the logistic regression; chosen on images held out of Set-B."""
LOT = 1
"""Seed of who teaches; targets are drawn by another, so that the two are independent."""
COMPONENTS = 50
"""Principal components that describe untouched images."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What the detector of one attack says; higher is likelier treated.

    Attributes:
        originals: (N,) scores of untouched images.
        anonymised: (M,) scores of the attack's.
    """

    regime: Regime
    originals: NDArray[np.float64]
    anonymised: NDArray[np.float64]


def detect(
    attack: str,
    untouched: Features,
    treated: Mapping[str, Features],
    tested: tuple[Features, Features],
    kin: Collection[str] = (),
) -> Iterator[Scored]:
    """Train on Set-B and score Set-C, in every regime that has something to learn from.

    Args:
        attack: That is tested.
        untouched: (N, F) features of images of Set-B.
        treated: (N, F) of the same images in the same order, by attack.
        tested: Features of untouched images of Set-C, and of the attack's.
        kin: Attacks by the same method.
    """
    left_out = {"known": set(treated) - {attack}, "unseen": {attack}, "unrelated": {attack, *kin}}
    for regime in REGIMES:
        names = sorted(set(treated) - left_out.get(regime, set(treated)))
        others = [treated[n] for n in names if regime == "known" or _teaches(treated[n], untouched)]
        if others or regime == "originals":
            scorer = _one_class(untouched) if not others else _two_class(untouched, others)
            yield Scored(regime=regime, originals=scorer(tested[0]), anonymised=scorer(tested[1]))


def _teaches(treated: Features, untouched: Features) -> bool:
    """Whether an attack changes anything: what changes nothing would mislead about the others."""
    return not np.array_equal(treated, untouched)


def _two_class(untouched: Features, teachers: Sequence[Features]) -> Scorer:
    """Log odds; as many treated images as untouched ones, of teachers by lot, each as often."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    turns = np.arange(len(untouched))
    teacher = np.random.default_rng(LOT).permutation(turns % len(teachers))
    treated = np.stack([teachers[which][turn] for turn, which in enumerate(teacher)])
    labels = np.repeat([0, 1], len(untouched))
    model: Any = make_pipeline(StandardScaler(), LogisticRegression(C=COST, max_iter=1000))
    model.fit(np.concatenate([untouched, treated]).astype(np.float64), labels)
    return lambda features: np.asarray(model.decision_function(features.astype(np.float64)))


def _one_class(untouched: Features) -> Scorer:
    """Logarithm of the Mahalanobis distance from the untouched ones."""
    from sklearn.covariance import LedoitWolf
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    count = min(COMPONENTS, len(untouched) - 1, untouched.shape[1])
    axes: Any = make_pipeline(StandardScaler(), PCA(count, svd_solver="full"))
    known = axes.fit_transform(untouched.astype(np.float64))
    shape = LedoitWolf().fit(known)

    def score(features: Features) -> NDArray[np.float64]:
        distance = shape.mahalanobis(axes.transform(features.astype(np.float64)))
        return np.asarray(np.log(np.maximum(distance, 1e-12)))

    return score
