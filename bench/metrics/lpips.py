"""LPIPS v0.1 on AlexNet (Zhang et al. 2018), with a verified trunk or not at all.

The `lpips` package carries the linear weights but not the ImageNet trunk, which torchvision
publishes. A value with another trunk is a different metric, so without the file there is none.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from bench.store import file_digest

VERSION = "0.1"
NET = "alex"
TRUNK_FILE = "alexnet-owt-7be5be79.pth"
TRUNK_PREFIX = "7be5be79"
TRUNK_VARIABLE = "CAMOBENCH_LPIPS_TRUNK"


class LpipsUnavailableError(Exception):
    """Why there is no LPIPS here, and what to do."""


class Lpips:
    """Perceptual distance of 8-bit images.

    Args:
        device: Where it runs.
        trunk: The AlexNet file; the default looks at `$CAMOBENCH_LPIPS_TRUNK`, then torch's cache.

    Raises:
        LpipsUnavailableError: If the trunk is absent or its checksum differs.
    """

    def __init__(self, device: torch.device, trunk: Path | None = None) -> None:
        path = trunk or find_trunk()
        self.trunk_sha256 = file_digest(path)
        if not self.trunk_sha256.startswith(TRUNK_PREFIX):
            raise LpipsUnavailableError(
                f"LPIPS: {path} has SHA-256 {self.trunk_sha256[:8]}..., expected "
                f"{TRUNK_PREFIX}...; remove it and fetch it again"
            )
        self._network = _build(torch.load(path, map_location="cpu", weights_only=True)).to(device)

    @torch.no_grad()
    def __call__(
        self, originals: Tensor, anonymised: Tensor, place: Tensor | None = None
    ) -> Tensor:
        """Distance of each anonymised image to its original.

        Args:
            originals: (U, 3, H, W) uint8, each once: their features are computed once.
            anonymised: (N, 3, H, W) uint8.
            place: (N,) position in `originals` of each one's original; by default N = U in order.

        Returns:
            (N,) distances.
        """
        before, after = self._features(originals), self._features(anonymised)
        total = torch.zeros(len(anonymised), device=anonymised.device)
        for one, other, weigh in zip(before, after, self._network.lins, strict=True):  # type: ignore[arg-type]
            there = one if place is None else one[place]
            total += weigh((there - other).square()).mean(dim=(1, 2, 3))
        return total

    def _features(self, images: Tensor) -> list[Tensor]:
        """Of each layer, normalised over channels at every pixel."""
        from lpips import normalize_tensor

        scaled = self._network.scaling_layer(images.float() / 127.5 - 1)  # type: ignore[operator]
        layers = self._network.net(scaled)  # type: ignore[operator]
        return [normalize_tensor(layer) for layer in layers]


def untrained_lpips(device: torch.device) -> Callable[..., Tensor]:
    """A distance that costs what LPIPS costs and means nothing, to measure speed by."""
    from torchvision.models import alexnet  # type: ignore[import-untyped]

    features = alexnet(weights=None).features.state_dict()
    metric = object.__new__(Lpips)
    metric._network = _build({f"features.{name}": value for name, value in features.items()})
    metric._network.to(device)
    return metric


def find_trunk() -> Path:
    """The trunk's file.

    Raises:
        LpipsUnavailableError: If there is none; says where to put it.
    """
    chosen = os.environ.get(TRUNK_VARIABLE)
    path = Path(chosen) if chosen else Path(torch.hub.get_dir()) / "checkpoints" / TRUNK_FILE
    if not path.is_file():
        place = f"where ${TRUNK_VARIABLE} says" if chosen else "in torch's hub cache"
        raise LpipsUnavailableError(
            f"its AlexNet trunk {TRUNK_FILE} is not {place}. "
            "Download it with `python -c 'import torchvision as t; t.models.alexnet(weights="
            f'"IMAGENET1K_V1")\'`, or set ${TRUNK_VARIABLE} to the file'
        )
    return path


def trunk_digest() -> str | None:
    """SHA-256 of the trunk that `load_lpips` would use, or `None` where LPIPS cannot be had."""
    try:
        found = file_digest(find_trunk())
    except LpipsUnavailableError:
        return None
    return found if found.startswith(TRUNK_PREFIX) else None


def load_lpips(device: torch.device) -> tuple[Lpips | None, dict[str, object]]:
    """LPIPS if it can be had, and the record of it for an entry."""
    record: dict[str, object] = {"version": VERSION, "net": NET}
    try:
        metric = Lpips(device)
    except LpipsUnavailableError as error:
        return None, {**record, "available": False, "reason": str(error)}
    return metric, {**record, "available": True, "trunk_sha256": metric.trunk_sha256}


def _build(trunk: dict[str, Tensor]) -> nn.Module:
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision deprecates the arguments that lpips passes
        network: nn.Module = lpips.LPIPS(
            net=NET, version=VERSION, pnet_rand=True, verbose=False
        ).eval()
    for name, parameter in network.net.named_parameters():  # type: ignore[union-attr]
        place = re.fullmatch(r"slice\d+\.(\d+)\.(weight|bias)", name)
        if place is None:
            raise RuntimeError(f"lpips has an unknown layer {name}; camobench knows lpips 0.1.4")
        parameter.data.copy_(trunk[f"features.{place[1]}.{place[2]}"])
    return network.requires_grad_(False)
