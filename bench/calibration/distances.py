"""How far apart simulated cameras are: one scene, exposure and noise through two of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray

from bench.data import decode_rgb
from bench.metrics.distortion import psnr_db
from bench.metrics.lpips import Lpips
from bench.suites.simcam import derive_seed
from bench.suites.simcam.cameras import load_cameras, make_device
from bench.suites.simcam.pipeline import capture
from bench.suites.simcam.scenes import render_scene
from bench.types import Json

SCENES = 24
SEED, IMAGE_PX = 0, 128
DEVICES = 6
"""Of each model: their gains, which differ by some percent, average out."""


@dataclass(frozen=True, kw_only=True)
class Distances:
    """Means over scenes between each two camera models, (C, C) and symmetric.

    Attributes:
        psnr_db: Infinite on the diagonal.
        lpips: Zero on the diagonal.
    """

    cameras: tuple[str, ...]
    psnr_db: NDArray[np.float64]
    lpips: NDArray[np.float64]

    def rows(self) -> list[dict[str, Json]]:
        """One row a camera: LPIPS right of the diagonal, PSNR in dB left of it."""

        def cell(i: int, j: int) -> str:
            if i == j:
                return "–"
            return f"{self.lpips[i, j]:.3f}" if i < j else f"{self.psnr_db[i, j]:.1f}"

        short = [name.removeprefix("simcam-") for name in self.cameras]
        return [
            {"camera": name, **{other: cell(i, j) for j, other in enumerate(short)}}
            for i, name in enumerate(self.cameras)
        ]


@torch.inference_mode()
def measure_distances(scenes: int | None = None) -> Distances:
    """Photograph scenes with devices of every model by turns and compare the photographs.

    Args:
        scenes: How many; by default 24.
    """
    cameras = load_cameras()
    taken: dict[str, list[torch.Tensor]] = {name: [] for name in cameras}
    for number in range(scenes or SCENES):
        radiance = render_scene(derive_seed(SEED, "scene", number), IMAGE_PX)
        shot = derive_seed(SEED, "shot", number)
        for name, model in cameras.items():
            device = make_device(model, number % DEVICES, SEED)
            pixels = decode_rgb(capture(radiance, device, shot), device.name)
            taken[name].append(torch.from_numpy(pixels))
    stacks = [torch.stack(photographs) for photographs in taken.values()]
    lpips = Lpips(torch.device("cpu"))
    decibels = np.full((len(stacks), len(stacks)), np.inf)
    perceived = np.zeros_like(decibels)
    for i, j in combinations(range(len(stacks)), 2):
        decibels[i, j] = decibels[j, i] = psnr_db(stacks[i], stacks[j]).mean()
        perceived[i, j] = perceived[j, i] = lpips(stacks[i], stacks[j]).mean()
    return Distances(cameras=tuple(cameras), psnr_db=decibels, lpips=perceived)
