"""The simulated cameras beside each other, and a suite's photographs beside real ones.

Cameras are compared by one scene, exposure and noise through each, in figures and in a picture;
photographs by what filters, residuals, spectra and contrasts say.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from bench.contract import ATTACKS
from bench.data import decode_rgb, read_rgb
from bench.jobs.building import build_attack
from bench.metrics.distortion import psnr_db
from bench.metrics.lpips import Lpips
from bench.recipes import MINI
from bench.signal.wavelet import wdf_residual
from bench.store.outputs import write_new
from bench.suites.base import Suite
from bench.suites.photographs.scan import list_images
from bench.suites.simcam import derive_seed
from bench.suites.simcam.cameras import load_cameras, make_device
from bench.suites.simcam.pipeline import capture
from bench.suites.simcam.scenes import render_scene
from bench.types import CamobenchError, Json

SCENES = 24
SEED, IMAGE_PX = 0, 128
DEVICES = 6
"""Of each model: their gains, which differ by some percent, average out."""
_BATCH = 32
_GRID_PX = 16  # crops keep the JPEG grid of any chroma subsampling
_BLOCK_PX = 8
_BANDS = np.linspace(0.02, 0.5, 25)  # cycles per pixel
_LUMA = (0.299, 0.587, 0.114)
_MARKERS = "osD^vP*"
_CAMERAS_A_ROW = 6
_SHADES = {"vmin": -12, "vmax": 12}  # grey levels shown as black and white


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
    """Photograph 24 scenes, or so many, with devices of every model by turns and compare them."""
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
    features = [list(lpips.features(stack)) for stack in stacks]
    decibels = np.full((len(stacks), len(stacks)), np.inf)
    perceived = np.zeros_like(decibels)
    for i, j in combinations(range(len(stacks)), 2):
        decibels[i, j] = decibels[j, i] = psnr_db(stacks[i], stacks[j]).mean()
        perceived[i, j] = perceived[j, i] = lpips.between(features[i], features[j]).mean()
    return Distances(cameras=tuple(cameras), psnr_db=decibels, lpips=perceived)


def save_picture(path: Path, *, scene_seed: int = 0, image_px: int = 128) -> None:
    """Save a figure of one scene through all camera models, the exposure being the same.

    Under each photograph stands its residual on the green channel, of -12 to 12 grey levels.
    """
    cameras = load_cameras()
    radiance = render_scene(scene_seed, image_px)
    rows = math.ceil(len(cameras) / _CAMERAS_A_ROW)
    figure = Figure(figsize=(2.2 * _CAMERAS_A_ROW, 4.7 * rows), layout="constrained")
    axes = figure.subplots(2 * rows, _CAMERAS_A_ROW, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for number, (name, model) in enumerate(cameras.items()):
        image = decode_rgb(capture(radiance, make_device(model, 0, scene_seed), scene_seed), name)
        residual = wdf_residual(torch.from_numpy(image)[None] / 255)[0, 1].numpy()
        row, column = divmod(number, _CAMERAS_A_ROW)
        photograph, below = axes[2 * row, column], axes[2 * row + 1, column]
        photograph.imshow(image.transpose(1, 2, 0), interpolation="nearest")
        photograph.set_title(f"{name}\n{model.demosaicing}", fontsize=9)
        below.imshow(residual, cmap="gray", interpolation="nearest", **_SHADES)
    _save(figure, path, dpi=150)


def _save(figure: Figure, path: Path, dpi: int) -> None:
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=dpi, metadata={"Software": None})
    write_new(path, data.getvalue())


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """What is measured on N photographs of equal size.

    Attributes:
        filters: Mean PSNR in dB and mean LPIPS of each control.
        residual_255: (N,) standard deviation of the wavelet residual, in grey levels.
        spectrum_db: Power of the luma in bands of frequency.
        contrast_255: Standard deviation of the luma in each block of 8 x 8 pixels.
    """

    name: str
    filters: Mapping[str, tuple[float, float]]
    residual_255: NDArray[np.float64]
    spectrum_db: NDArray[np.float64]
    contrast_255: NDArray[np.float64]

    def figures(self) -> dict[str, Json]:
        """The numbers of a table, by what they measure."""
        found: dict[str, Json] = {"photographs": len(self.residual_255)}
        for control, (decibels, perceived) in self.filters.items():
            found |= {f"{control}, PSNR (dB)": round(decibels, 1)}
            found |= {f"{control}, LPIPS": round(perceived, 3)}
        found["residual (grey levels), mean"] = round(float(self.residual_255.mean()), 2)
        for percent in (10, 50, 90):
            value = round(float(np.percentile(self.contrast_255, percent)), 1)
            found[f"local contrast (grey levels), {percent} %"] = value
        return found


def centre_crops(folder: Path, side_px: int) -> Tensor:
    """(N, 3, side, side) uint8 centre crops of the photographs below a folder.

    Raises:
        CamobenchError: If there is none as large as that, or one cannot be read.
    """
    crops = []
    for path in list_images(folder):
        pixels = read_rgb(folder / path)
        top, left = ((length - side_px) // 2 // _GRID_PX * _GRID_PX for length in pixels.shape[1:])
        if min(top, left) >= 0:
            crops.append(torch.from_numpy(pixels[:, top : top + side_px, left : left + side_px]))
    if not crops:
        raise CamobenchError(f"no photograph in {folder} has {side_px} x {side_px} pixels")
    return torch.stack(crops)


@torch.inference_mode()
def measure_likeness(name: str, images: Tensor) -> Likeness:
    """Measure (N, 3, S, S) uint8 photographs that are called `name`."""
    lpips = Lpips(torch.device("cpu"))
    filters = {}
    batches = torch.split(images, _BATCH)
    for entry in ATTACKS:
        if not entry.spec.control or entry.spec.targeted:
            continue
        control = build_attack(entry.spec.name, (), MINI)
        pairs = [(batch, control(batch, None)) for batch in batches]
        decibels = torch.cat([psnr_db(*pair) for pair in pairs])
        changed = decibels.isfinite()
        if changed.any():  # the identity changes nothing
            perceived = torch.cat([lpips(*pair) for pair in pairs])
            filters[entry.spec.name] = (float(decibels[changed].mean()), float(perceived.mean()))
    residual = [wdf_residual(batch / 255).flatten(1).std(1) for batch in batches]
    luma = (images * torch.tensor(_LUMA).view(1, 3, 1, 1)).sum(1)
    blocks = luma.unfold(1, _BLOCK_PX, _BLOCK_PX).unfold(2, _BLOCK_PX, _BLOCK_PX)
    return Likeness(
        name=name,
        filters=filters,
        residual_255=torch.cat(residual).double().numpy(),
        spectrum_db=_spectrum_db(luma),
        contrast_255=blocks.flatten(3).std(3).flatten().double().numpy(),
    )


def _spectrum_db(luma: Tensor) -> NDArray[np.float64]:
    """Geometric mean over photographs of the windowed power, averaged over rings of frequency."""
    side = luma.shape[-1]
    window = torch.hann_window(side, periodic=False)
    window = window[:, None] * window
    centred = (luma - luma.mean((1, 2), keepdim=True)) * window
    power = torch.fft.fft2(centred).abs().square() / window.square().sum()
    mean = (power + 1e-6).log().mean(0).exp().double().numpy()
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    ring = np.digitize(frequency, _BANDS)
    return np.array([10 * np.log10(mean[ring == i].mean()) for i in range(1, len(_BANDS))])


def compare(
    suite: Suite, folders: Sequence[Path]
) -> tuple[list[dict[str, Json]], tuple[Likeness, ...]]:
    """Measure Set-C of a suite and centre crops, as large as its images, of folders.

    Returns:
        A row a measure, a column a source; and what was measured.

    Raises:
        CamobenchError: If a folder has no photograph of that size, or Set-C is damaged.
    """
    suite.verify("C")
    images = {suite.card.name: torch.from_numpy(np.array(suite.images("C")))}
    for folder in map(os.path.abspath, folders):
        name = Path(folder).name
        taken = name in images or name == "measure"
        images[folder if taken else name] = centre_crops(Path(folder), suite.card.image_px)
    found = tuple(measure_likeness(name, stack) for name, stack in images.items())
    figures = {one.name: one.figures() for one in found}
    rows: list[dict[str, Json]] = [
        {"measure": measure, **{name: some.get(measure) for name, some in figures.items()}}
        for measure in figures[suite.card.name]
    ]
    return rows, found


def save_figure(found: Sequence[Likeness], path: Path) -> None:
    """Save filters, residuals, spectra and local contrasts side by side, as PNG."""
    figure = Figure(figsize=(13, 3.4), layout="constrained")
    filters, residual, spectrum, contrast = figure.subplots(1, 4)
    for number, one in enumerate(found):
        colour = f"C{number}"
        for marker, (name, (decibels, perceived)) in zip(
            _MARKERS, one.filters.items(), strict=False
        ):
            label = None if number else name
            filters.plot(perceived, decibels, marker, color=colour, label=label)
        style = {"density": True, "histtype": "step", "color": colour}
        residual.hist(one.residual_255, bins=np.linspace(0, 6, 31), **style)
        spectrum.plot((_BANDS[1:] + _BANDS[:-1]) / 2, one.spectrum_db, color=colour, label=one.name)
        contrast.hist(one.contrast_255, bins=np.geomspace(0.25, 90, 40), **style)
    contrast.set_xscale("log")
    for axes, across, up in (
        (filters, "LPIPS of the controls", "PSNR (dB)"),
        (residual, "residual of a photograph (grey levels)", "density"),
        (spectrum, "frequency (cycles per pixel)", "power of the luma (dB)"),
        (contrast, "standard deviation in 8 x 8 pixels (grey levels)", "density"),
    ):
        axes.set_xlabel(across, fontsize=8)
        axes.set_ylabel(up, fontsize=8)
        axes.tick_params(labelsize=7)
    for axes in (filters, spectrum):
        axes.legend(fontsize=7)
    _save(figure, path, dpi=120)
