"""How much an anonymised image differs from its original: LPIPS, PSNR, SSIM, and their means.

All see 8-bit images, as the victims do. Torch is imported when one is measured: tables need none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.records.metric import METRICS, MetricSpec, image_metrics
from bench.registry import Entry
from bench.sources import makeup_of
from bench.types import Json

if TYPE_CHECKING:
    from torch import Tensor


def lpips(originals: Tensor, anonymised: Tensor) -> Tensor:
    """Perceptual distance of (N, 3, H, W) uint8 images: (N,); see `bench.metrics.lpips`."""
    from bench.metrics.lpips import load_lpips

    return load_lpips(originals.device)(originals, anonymised)


def psnr_db(originals: Tensor, anonymised: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of (N, 3, H, W) uint8 images: (N,) decibels, inf where equal.

    The squares are summed as integers, exactly and on devices without float64; the result is on
    the CPU.
    """
    import torch

    squares = (originals.int() - anonymised.int()).square().sum(dim=(1, 2, 3)).cpu()
    decibels: Tensor = 10 * torch.log10(255.0**2 / (squares.double() / originals[0].numel()))
    return decibels


def ssim(originals: Tensor, anonymised: Tensor) -> Tensor:
    """Structural similarity of (N, 3, H, W) uint8 images: (N,).

    An 11 x 11 Gaussian window at every pixel, mirrored at the border (Wang et al. 2004). Of bright
    pictures of one colour, such as a sky, single precision is off by up to 2e-3; what that would
    make of equal images, or above 1, is 1.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    as_channels = (1, -1, *originals.shape[2:])  # the same values, three times as fast on a CPU
    _, found = structural_similarity_index_measure(
        anonymised.float().reshape(as_channels),
        originals.float().reshape(as_channels),
        data_range=255.0,
        return_full_image=True,
    )
    mean: Tensor = found.reshape(len(originals), -1).mean(dim=1)
    equal = (originals == anonymised).all(dim=(1, 2, 3))
    return mean.clamp(max=1).masked_fill(equal, 1)


ENTRIES = (
    Entry(
        spec=MetricSpec(
            name="lpips",
            title="LPIPS",
            needs="images",
            higher_is_better=False,
            digits=3,
            highest=np.inf,
            level=0.04,  # the full method's in the paper's Tables 2 and 3
        ),
        builder=lpips,
    ),
    Entry(
        spec=MetricSpec(
            name="psnr_db",
            title="PSNR",
            needs="images",
            unit="dB",
            digits=1,
            highest=np.inf,
            unchanged=np.inf,
        ),
        builder=psnr_db,
    ),
    Entry(
        spec=MetricSpec(
            name="ssim",
            title="SSIM",
            needs="images",
            digits=3,
            lowest=-1.0,
            unchanged=1.0,
        ),
        builder=ssim,
    ),
)


def measure(originals: Tensor, anonymised: Tensor) -> dict[str, Tensor]:
    """All registered metrics of (N, 3, H, W) uint8 images: name to (N,) on the CPU.

    Raises:
        ValueError: If one gives anything else, or NaN; names it.
    """
    import torch

    found: dict[str, Tensor] = {}
    with torch.no_grad():
        for name in (metric.name for metric in image_metrics()):
            values = METRICS.get(name).builder(originals, anonymised)
            found[name] = torch.as_tensor(values).cpu()  # it may be of NumPy
            if found[name].shape != originals.shape[:1] or found[name].isnan().any():
                shape = tuple(found[name].shape)
                raise ValueError(
                    f"metric {name}: expected {len(originals)} numbers, one an image, got shape "
                    f"{shape}{' with NaN' if found[name].isnan().any() else ''}"
                )
    return found


def measured_by() -> dict[str, Json]:
    """Version and code of each metric of images that a run may lack, for keys of distortions."""
    found = (METRICS.get(m.name) for m in image_metrics() if not METRICS.is_own(m.name))
    return {one.spec.name: [one.spec.version, makeup_of(one.builder).sha256] for one in found}


def mean_distortion(rows: pd.DataFrame) -> dict[str, float | None]:
    """Mean of each metric of images that was measured, over distortion rows of one attack.

    An unchanged image has an infinite PSNR: the mean is over the others, and infinite only where
    there are none. `unchanged_images` counts them.

    Returns:
        By name of the metric; `None` where there is no row.

    Raises:
        ValueError: If a value is NaN.
    """
    means: dict[str, float | None] = {}
    for metric in image_metrics(rows.columns):
        values = rows[metric.name].astype("float64")
        if values.isna().any():
            first = rows.loc[values.isna(), ["attack", "image_id"]].iloc[0]
            raise ValueError(
                f"`{metric.name}` is NaN for attack {first['attack']!r}, image "
                f"{first['image_id']!r}; score this attack anew"
            )
        changed = values[~np.isinf(values)]
        known = values if changed.empty else changed
        means[metric.name] = None if values.empty else float(known.mean())
    return means


def unchanged_images(rows: pd.DataFrame) -> int:
    """How many images of distortion rows are their originals to the last bit."""
    endless = [m.name for m in image_metrics(rows.columns) if np.isinf(m.unchanged)]
    return int(np.isinf(rows[endless].astype("float64")).any(axis=1).sum())
