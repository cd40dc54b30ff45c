"""SPAM features and a support vector machine (`victims.svm`).

Features: second-order SPAM (Pevny, Bas & Fridrich 2010, see `bench.signal.cooccurrence`) of each
colour plane, 3 x 686. Images of another size than those trained on have less or more of the rare
transitions.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from bench.signal.cooccurrence import FEATURES, spam_features
from victims.svm import SvmVictim


class SpamSvm(SvmVictim):
    """Second-order SPAM features of each colour plane, and a support vector machine a class."""

    features: ClassVar[int] = 3 * FEATURES

    def frontend(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> (N, 2058) features of red, green and blue."""
        levels = (images * 255).round().to(torch.int32)
        return torch.cat([spam_features(levels[:, plane]) for plane in range(3)], dim=1)
