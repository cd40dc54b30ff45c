"""A picture of the simulator: one scene through every camera model, with its noise residual."""

from __future__ import annotations

import io
import math
from pathlib import Path

import torch
from matplotlib.figure import Figure

from bench.data import decode_rgb
from bench.signal.wavelet import wdf_residual
from bench.store.outputs import write_new
from bench.suites.simcam.cameras import load_cameras, make_device
from bench.suites.simcam.pipeline import capture
from bench.suites.simcam.scenes import render_scene

_COLUMNS = 6
_SHADES = {"vmin": -12, "vmax": 12}  # grey levels shown as black and white


def save_picture(path: Path, *, scene_seed: int = 0, image_px: int = 128) -> None:
    """Save a figure of one scene through all camera models, the exposure being the same.

    Under each photograph stands its residual on the green channel, stretched so that
    -12 grey levels are black and 12 are white.
    """
    cameras = load_cameras()
    radiance = render_scene(scene_seed, image_px)
    rows = math.ceil(len(cameras) / _COLUMNS)
    figure = Figure(figsize=(2.2 * _COLUMNS, 4.7 * rows), layout="constrained")
    axes = figure.subplots(2 * rows, _COLUMNS, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for number, (name, model) in enumerate(cameras.items()):
        image = decode_rgb(capture(radiance, make_device(model, 0, scene_seed), scene_seed), name)
        residual = wdf_residual(torch.from_numpy(image)[None] / 255)[0, 1].numpy()
        row, column = divmod(number, _COLUMNS)
        photograph, below = axes[2 * row, column], axes[2 * row + 1, column]
        photograph.imshow(image.transpose(1, 2, 0), interpolation="nearest")
        photograph.set_title(f"{name}\n{model.demosaicing}", fontsize=9)
        below.imshow(residual, cmap="gray", interpolation="nearest", **_SHADES)
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=150)
    write_new(path, data.getvalue())
