"""The sign-flip permutation test over photographs: are two attacks told apart?

Under the null hypothesis the two attacks are exchangeable on every photograph, so that the sign of
each photograph's difference is arbitrary (Good 2005, Permutation, Parametric and Bootstrap Tests,
sec. 3.2).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

DRAWS = 10_000
_BLOCK = 1000


@dataclass(frozen=True, kw_only=True)
class SignFlip:
    """Two-sided p-value, and whether all sign patterns were tried."""

    p: float
    exact: bool


def sign_flip_test(effects: ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> SignFlip:
    """Test whether differences, one a photograph, are symmetric about zero.

    All sign patterns are tried where there are at most `draws` of them; else that many are drawn,
    and the observed one counts as one more, so p is never 0 (Phipson & Smyth 2010).

    Args:
        effects: (P,) what each photograph adds to the difference.
        draws: Random sign patterns.
        seed: Of the draws.

    Raises:
        ValueError: If there is no photograph, or a difference is not finite.

    Source: `scipy.stats.permutation_test` with `permutation_type="samples"` on one sample.
    """
    values = np.asarray(effects, dtype=np.float64)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise ValueError(f"expected finite differences, one a photograph, got {values!r}")
    bar = abs(values.sum()) - 1e-9 * np.abs(values).sum()  # sums of equals differ in last bits
    exact = 2.0 ** len(values) <= draws
    if exact:
        patterns = np.arange(2 ** len(values))[:, None] >> np.arange(len(values)) & 1
        return SignFlip(p=float((np.abs(_flipped(patterns, values)) >= bar).mean()), exact=True)
    generator = np.random.default_rng(seed)
    extreme = 0
    for start in range(0, draws, _BLOCK):
        block = (min(_BLOCK, draws - start), len(values))
        patterns = generator.integers(2, size=block, dtype=np.int8)
        extreme += int((np.abs(_flipped(patterns, values)) >= bar).sum())
    return SignFlip(p=(1 + extreme) / (1 + draws), exact=False)


def _flipped(patterns: NDArray[np.integer], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(B,) sums with the signs of (B, P) patterns of 0 and 1."""
    found: NDArray[np.float64] = (2.0 * patterns - 1) @ values
    return found
