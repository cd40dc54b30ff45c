"""Adaptive removal of fingerprints, after Karaküçük & Dirik 2015, with those of camera models.

A fingerprint is estimated by maximum likelihood, K = sum(W_i I_i) / sum(I_i^2) (Chen et al. 2008,
Eq. 6), and as much of I K is subtracted from an image I as its noise residual holds: the amount
that leaves the residual uncorrelated with it, found by least squares, in a few passes since the
residual's filter is not linear.

Deviation: the owner of an image would subtract its device's fingerprint, estimated from flat
fields. Here nobody tells the attack from which device, or even model, an image is, and no device of
Set-B takes part in Set-C. So K is what the devices of a model share, of period `period_px` (the CFA
and the blocks of JPEG), estimated from each model's images of Set-B, and the amounts of all
models' patterns are found together. The device's own PRNU stays: it is not removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from attacks.parametric import ParametricAttack
from bench.contract import AttackSpec, FitContext
from bench.data import AdversarySet
from bench.recipes import Recipe
from bench.signal.wavelet import wdf_residual
from bench.types import FitReport

BATCH = 16


class PrnuRemoval(ParametricAttack):
    """Subtract what an image's residual has in common with the patterns of Set-B's models."""

    patterns: Tensor

    def __init__(
        self,
        spec: AttackSpec,
        *,
        classes: Sequence[str] = (),
        recipe: Recipe | None = None,
        **constants: Any,
    ) -> None:
        super().__init__(spec, classes=classes, recipe=recipe, **constants)
        period = constants["period_px"]
        self.register_buffer("patterns", torch.zeros(len(classes), 3, period, period))

    def fit(self, data: AdversarySet, context: FitContext) -> FitReport:
        """Estimate the pattern of every model."""
        context.progress.start(self.spec.name, len(data.images))
        products = torch.zeros_like(self.patterns, device="cpu")
        squares = torch.zeros_like(products)
        for start in range(0, len(data.images), BATCH):
            part = slice(start, start + BATCH)
            levels = torch.from_numpy(data.images[part].copy()).to(context.device)
            labels = torch.from_numpy(data.labels[part])
            images = levels.float() / 255
            residual = wdf_residual(images) / 255
            period = self.constants["period_px"]
            products.index_add_(0, labels, folded(residual * images, period).cpu())
            squares.index_add_(0, labels, folded(images.square(), period).cpu())
            context.progress.advance(len(levels))
        context.progress.finish()
        self.patterns = (products / squares.clamp_min(1e-9)).to(context.device)
        return FitReport()

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """(N, 3, H, W) -> (N, 3, H, W)."""
        height, width = images.shape[-2:]
        period = self.constants["period_px"]
        tiled = self.patterns.repeat(1, 1, -(-height // period), -(-width // period))
        patterns = tiled[..., :height, :width].flatten(1)  # (C, 3 H W)
        for _ in range(self.constants["passes"]):
            residual = (wdf_residual(images) / 255).flatten(1)
            shares = images.flatten(1)[:, None] * patterns  # (N, C, 3 H W)
            images = images - explained(residual, shares).view_as(images)
        return images


def folded(values: Tensor, period: int) -> Tensor:
    """Sum (N, 3, H, W) over all places that are alike modulo the period: (N, 3, period, period)."""
    rows, columns = (
        torch.arange(size, device=values.device) % period for size in values.shape[-2:]
    )
    by_row = values.new_zeros(*values.shape[:2], period, values.shape[-1])
    by_row.index_add_(2, rows, values)
    sums = values.new_zeros(*values.shape[:2], period, period)
    return sums.index_add_(3, columns, by_row)


def explained(residual: Tensor, shares: Tensor) -> Tensor:
    """The part of (N, P) residuals in the span of (N, C, P) patterns, by least squares."""
    gram = torch.einsum("ncp,ndp->ncd", shares, shares)
    size = gram.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
    ridge = (1e-6 * size + 1e-12) * torch.eye(gram.shape[1], device=gram.device, dtype=gram.dtype)
    match = torch.einsum("ncp,np->nc", shares, residual)
    amounts = torch.linalg.solve(gram + ridge, match)
    return torch.einsum("nc,ncp->np", amounts, shares)
