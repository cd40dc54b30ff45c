"""LPIPS v0.1 on AlexNet (Zhang et al. 2018), with weights that ship.

The convolutions are torchvision's, the linear layers those of the metric's authors
(`assets/lpips/NOTICE`), each file verified by its SHA-256. Whenever the metric is opened, one fixed
pair of images must give its known value: an installation that computes something else is named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import cache, reduce
from importlib.resources import files

import safetensors.torch
import torch
from torch import Tensor
from torch.nn import functional as F

from bench.types import CamobenchError, Json

FEATURES = "alexnet-features.safetensors"
LINEAR = "linear-v0.1.safetensors"
SHA256 = {
    FEATURES: "383440ef11031c18a263ca823f972833a3ed8709e593f80ed57981d2462a5774",
    LINEAR: "e01b84e9903156042155e6cac41e302eefbca3090b41042818fcdd5d1e5776ce",
}
RECORD: dict[str, Json] = {"version": "0.1", "net": "alex", "trunk_sha256": SHA256[FEATURES]}
"""What an entry says of it."""
LAYERS = ((0, 4, 2), (3, 1, 2), (6, 1, 1), (8, 1, 1), (10, 1, 1))
"""Number, stride and padding of AlexNet's convolutions; the second and third follow a pooling."""
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
GOLDEN, TOLERANCE = 0.2393689, 1e-4
"""Of the golden pair; relative, for processors and devices differ in the last bits of fp32."""


class Lpips:
    """Perceptual distance of 8-bit images, in fp32.

    Args:
        device: Where it runs.

    Raises:
        CamobenchError: If the weights are damaged, or the golden pair has another value.
    """

    def __init__(self, device: torch.device) -> None:
        weights = {name: value.to(device) for name, value in shipped_weights().items()}
        self._layers = [
            (
                weights[f"features.{number}.weight"].contiguous(memory_format=torch.channels_last),
                weights[f"features.{number}.bias"],
                weights[f"lin{place}.model.1.weight"],
            )
            for place, (number, _, _) in enumerate(LAYERS)
        ]
        self._shift, self._scale = (
            torch.tensor(values, device=device)[:, None, None] for values in (SHIFT, SCALE)
        )
        value = float(self(*golden_pair(device))[0])
        if not abs(value - GOLDEN) <= TOLERANCE * GOLDEN:
            raise CamobenchError(
                f"LPIPS of the golden pair is {value:.7f} on {device}, {GOLDEN} is right: this "
                "torch computes something else; install another version"
            )

    @torch.no_grad()
    def __call__(self, originals: Tensor, anonymised: Tensor) -> Tensor:
        """Distance of each of (N, 3, H, W) uint8 images to its original: (N,)."""
        return self.between(self.features(originals), self.features(anonymised))

    def between(self, originals: Iterable[Tensor], anonymised: Iterable[Tensor]) -> Tensor:
        """The same of what `features` gives of both."""
        layers = zip(originals, anonymised, self._layers, strict=True)
        return reduce(
            torch.add,
            (
                F.conv2d((before - after).square_(), linear).mean(dim=(1, 2, 3))
                for before, after, (_, _, linear) in layers
            ),
        )

    def features(self, images: Tensor) -> Iterator[Tensor]:
        """Of each layer, (N, C, H, W), normalised over channels at every pixel."""
        unit = images.contiguous(memory_format=torch.channels_last).float().div_(127.5).sub_(1)
        layer = unit.sub_(self._shift).div_(self._scale)
        for place, (_, stride, padding) in enumerate(LAYERS):
            if place in (1, 2):
                layer = F.max_pool2d(layer, 3, 2)
            weight, bias, _ = self._layers[place]
            layer = F.conv2d(layer, weight, bias, stride, padding).relu_()
            yield layer / (layer.square().sum(1, keepdim=True).sqrt_() + 1e-10)


@cache
def load_lpips(device: torch.device) -> Lpips:
    """The metric on a device, opened once a process."""
    return Lpips(device)


def shipped_weights() -> dict[str, Tensor]:
    """Convolutions under torchvision's names, linear layers under those of `lpips`.

    Raises:
        CamobenchError: If a file is missing or damaged; names it and the remedy.
    """
    found: dict[str, Tensor] = {}
    for name, sha256 in SHA256.items():
        file = files("bench") / "assets" / "lpips" / name
        content = file.read_bytes() if file.is_file() else b""
        if hashlib.sha256(content).hexdigest() != sha256:
            raise CamobenchError(
                f"{file} is {'damaged' if content else 'missing'} (SHA-256 {sha256[:8]}... "
                "expected): install camobench again"
            )
        found |= safetensors.torch.load(content)
    return found


def golden_pair(device: torch.device) -> tuple[Tensor, Tensor]:
    """A ramp and the same ramp with a grid over it, each (1, 3, 64, 64) uint8."""
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    ramp = torch.stack([rows * 3, columns * 3, (rows + columns) * 2]) + 16
    grid = torch.where((rows // 4 + columns // 4) % 2 == 0, 12, -12)
    one, other = (image.clamp(0, 255).to(torch.uint8)[None] for image in (ramp, ramp + grid))
    return one.to(device), other.to(device)
