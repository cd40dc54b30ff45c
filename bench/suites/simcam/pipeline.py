"""From linear radiance to a JPEG file: what happens inside a camera, in its order.

Sensor (vignetting, PRNU, exposure, shot and read noise, clipping, 12 bits), colour filter array,
white balance on the raw values, demosaicing, colour matrix, tone curve, denoising, unsharp mask,
JPEG. Parameters are those of `cameras.toml`. The sensor's own colour mixing is taken to be the
inverse of the model's matrix and gains, so that all models agree on colour and differ in texture.
"""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from bench.signal.cfa import demosaic, mosaic
from bench.suites.simcam import stream
from bench.suites.simcam.cameras import CameraModel, Device, JpegStyle
from bench.suites.simcam.scenes import Array

_FULL_SCALE = 4095  # 12 bits
_BLACK_LEVEL = 256  # raw values below black are kept: clipping them would brighten shadows
_LUMA = (0.299, 0.587, 0.114)


@functools.lru_cache(maxsize=64)
def _sensor_pattern(device: Device, side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what multiplies the light at each photosite and what hot pixels add to it."""
    model = device.model
    rng = stream(device.seed, "pattern", side)
    prnu = 1 + device.prnu_sigma * rng.standard_normal((side, side), np.float32)
    hot = np.zeros((side, side), np.float32)
    sites = rng.integers(0, side, (2, rng.poisson(device.hot_pixel_rate * side**2)))
    hot[sites[0], sites[1]] = rng.uniform(0.01, 0.08, sites.shape[1])
    grid = np.linspace(-1, 1, side, dtype=np.float32) ** 2 / 2
    radius_2 = grid[:, None] + grid[None, :]
    a1, a2 = model.vignetting
    gains = torch.tensor(device.gains).view(1, 3, 1, 1).expand(1, 3, side, side)
    sites_gain = mosaic(gains, model.cfa)[0, 0].numpy()
    response = prnu * (1 + a1 * radius_2 + a2 * radius_2**2) * sites_gain
    return torch.from_numpy(response.astype(np.float32)), torch.from_numpy(hot)


def _white_balance(model: CameraModel) -> torch.Tensor:
    red, blue = model.white_balance
    return torch.tensor([red, 1.0, blue]).view(1, 3, 1, 1)


def expose(radiance: Array, device: Device, shot_seed: int) -> torch.Tensor:
    """Return the raw values of one shot.

    Args:
        radiance: (3, S, S) linear scene radiance.
        device: The camera.
        shot_seed: Names the shot's exposure, sensitivity and noise.

    Returns:
        (1, 1, S, S) values in multiples of 1/4095, 0 = black, 1 = full well.
    """
    model = device.model
    # Exposure has a stream of its own: it is drawn alike whatever the model's noise.
    exposure = 2 ** stream(shot_seed, "exposure").uniform(-0.4, 0.4)
    rng = stream(shot_seed, "noise")
    shot = math.exp(rng.uniform(*np.log(model.shot_noise)))
    read = math.exp(rng.uniform(*np.log(model.read_noise)))

    mixing = torch.linalg.inv(torch.tensor(model.ccm, dtype=torch.float64)).float()
    light = torch.from_numpy(radiance).flatten(1)
    camera_rgb = (mixing @ light).view(1, *radiance.shape) / _white_balance(model)
    response, hot = _sensor_pattern(device, radiance.shape[1])
    wells = (mosaic(camera_rgb, model.cfa) * (response * exposure)).clamp_min(0) + hot
    noise = torch.from_numpy(rng.standard_normal(tuple(wells.shape), np.float32))
    wells = wells + noise * torch.sqrt(shot * wells + read**2)
    lowest = -_BLACK_LEVEL / _FULL_SCALE
    return torch.round(wells.clamp(lowest, 1) * _FULL_SCALE) / _FULL_SCALE


def _blur(images: torch.Tensor, radius_px: float) -> torch.Tensor:
    """Blur with a Gaussian of standard deviation `radius_px`, mirrored at the border."""
    reach = math.ceil(3 * radius_px)
    taps = torch.arange(-reach, reach + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (taps / radius_px) ** 2)
    kernel = (kernel / kernel.sum()).view(1, 1, -1, 1)
    planes = images.reshape(-1, 1, *images.shape[2:])
    planes = F.pad(planes, (reach, reach, reach, reach), mode="reflect")
    planes = F.conv2d(F.conv2d(planes, kernel), kernel.transpose(2, 3))
    return planes.view_as(images)


def _denoise(images: torch.Tensor, model: CameraModel) -> torch.Tensor:
    """Shrink detail around a blurred base, little where it is strong: noise goes, edges stay."""
    detail = images - _blur(images, model.denoise_radius_px)
    luma = (detail * torch.tensor(_LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
    kept = torch.zeros_like(detail)
    for part, threshold_255 in (
        (luma, model.denoise_luma_255),
        (detail - luma, model.denoise_chroma_255),
    ):
        energy = part.square().mean(1, keepdim=True)
        kept = kept + part * (energy / (energy + (threshold_255 / 255) ** 2 + 1e-12))
    return images - detail + kept


def _tone(images: torch.Tensor, model: CameraModel) -> torch.Tensor:
    """Apply the gamma, then an S-curve that fixes 0, 1/2 and 1."""
    images = images.clamp(0, 1) ** (1 / model.gamma)
    return images + model.contrast * 4 * images * (1 - images) * (2 * images - 1)


def develop(raw: torch.Tensor, model: CameraModel) -> torch.Tensor:
    """Turn raw values into finished pictures, as the camera's processor does.

    Args:
        raw: (N, 1, H, W) raw values, 0 = black, 1 = full well.
        model: The camera model.

    Returns:
        (N, 3, H, W) uint8 RGB, before JPEG.
    """
    gains = _white_balance(model).expand(1, 3, *raw.shape[2:])
    balanced = (raw * mosaic(gains, model.cfa)).clamp(max=1)
    rgb = demosaic(balanced, model.demosaicing, model.cfa)
    linear = torch.einsum("ij,njhw->nihw", torch.tensor(model.ccm), rgb)
    images = _tone(linear, model)
    if model.denoise_radius_px > 0:
        images = _denoise(images, model)
    if model.sharpen_radius_px > 0:
        images = images + model.sharpen_amount * (images - _blur(images, model.sharpen_radius_px))
    return torch.round(images.clamp(0, 1) * 255).to(torch.uint8)


def encode(image: torch.Tensor, styles: Sequence[JpegStyle], bits_per_pixel: float) -> bytes:
    """Compress one (3, H, W) uint8 image with the first style that meets a size, else the last.

    The size is that of the compressed data, without headers.
    """
    picture = Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())
    for style in styles:
        buffer = io.BytesIO()
        tables = [list(style.luma), list(style.chroma)]
        picture.save(buffer, "JPEG", qtables=tables, subsampling=style.subsampling)
        data = buffer.getvalue()
        scan = len(data) - data.index(b"\xff\xda")
        if 8 * scan <= bits_per_pixel * picture.width * picture.height:
            break
    return data


def capture(radiance: Array, device: Device, shot_seed: int) -> bytes:
    """Photograph a scene: (3, S, S) linear radiance to the bytes of a JPEG file."""
    images = develop(expose(radiance, device, shot_seed), device.model)
    return encode(images[0], device.model.jpeg, device.model.jpeg_bits_per_pixel)
