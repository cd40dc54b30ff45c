"""The value of LPIPS on one fixed pair of images, kept in a store from its first verified use.

A trunk with the right checksum can still give other values: another version of a package, another
device, a broken kernel. The kept value tells.
"""

from __future__ import annotations

from pathlib import Path

import torch

from bench.metrics.lpips import NET, VERSION, Lpips
from bench.store import LPIPS_GOLDEN, Store, read_json, write_json
from bench.types import CamobenchError

TOLERANCE = 1e-4
"""Relative; processors and devices differ in the last bits of single precision."""
SIDE_PX = 64


def golden_value(metric: Lpips, device: torch.device) -> float:
    """LPIPS of a ramp and the same ramp with a grid over it."""
    rows, columns = torch.meshgrid(torch.arange(SIDE_PX), torch.arange(SIDE_PX), indexing="ij")
    ramp = torch.stack([rows * 3, columns * 3, (rows + columns) * 2]) + 16
    grid = torch.where((rows // 4 + columns // 4) % 2 == 0, 12, -12)
    pair = [image.clamp(0, 255).to(torch.uint8)[None].to(device) for image in (ramp, ramp + grid)]
    return float(metric(pair[0], pair[1])[0])


def golden_file(store: Store) -> Path:
    """Where a store keeps the value."""
    return store.root / LPIPS_GOLDEN


def check_golden(metric: Lpips, device: torch.device, store: Store) -> tuple[float, bool]:
    """Compare the value with the store's; the first use records it.

    Returns:
        The value, and whether it was recorded just now.

    Raises:
        CamobenchError: If the store has another trunk, or another value for it; names both.
    """
    value, path = golden_value(metric, device), golden_file(store)
    kept = read_json(path) if path.is_file() else {}
    if (kept.get("version"), kept.get("net")) != (VERSION, NET):
        terms = {"version": VERSION, "net": NET, "trunk_sha256": metric.trunk_sha256}
        write_json(path, {**terms, "value": value})
        return value, True
    if kept["trunk_sha256"] != metric.trunk_sha256:
        raise CamobenchError(
            f"the LPIPS trunk has SHA-256 {metric.trunk_sha256}, this store's was "
            f"{kept['trunk_sha256']}: fetch torchvision's AlexNet again"
        )
    if abs(value - kept["value"]) > TOLERANCE * abs(kept["value"]):
        raise CamobenchError(
            f"LPIPS of the golden pair is {value:.7f}, this store recorded {kept['value']:.7f}: "
            "torch, torchvision or lpips computes something else now; go back to the versions in "
            f"its entries, or remove {path} and keep new results apart"
        )
    return value, False
