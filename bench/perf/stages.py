"""Each stage of scoring by itself: how many images a second, how close to the peak."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bench.checks import to_uint8, to_unit
from bench.jobs.networks import Networks
from bench.jobs.scoring.items import asked_of
from bench.jobs.scoring.precision import Precision
from bench.jobs.scoring.rows import base_rows, prediction_rows
from bench.metrics.distortion import psnr_db, ssim
from bench.metrics.lpips import load_lpips
from bench.perf.peaks import Peaks, seconds_of
from bench.perf.workbench import Cost, Workbench
from bench.processes import keep_freed_memory
from bench.types import Json


@torch.inference_mode()
def time_stages(
    bench: Workbench, device_name: str, peaks: Peaks, cost: Cost, batch: int
) -> list[dict[str, Json]]:
    """Run every stage on one batch, several times, in a process set up as scoring is.

    Returns:
        A row a stage, by its best time: anonymised images a second, operations an image, and how
        close these come to the machine's best matrix product in the same precision.
    """
    device = torch.device(device_name)
    if device.type == "cpu":
        keep_freed_memory()
    networks = Networks(bench.graph, bench.shelf, device, precision=Precision(name="mixed"))
    attack = networks.attack(bench.load.attack)
    victims = {name: networks.victim(name) for name in bench.graph.victims}
    everything = asked_of(range(bench.load.images), len(bench.load.classes), targeted=True)
    items = everything[: min(batch, bench.load.images)]
    pixels = bench.suite.images("C")
    indices = [item.index for item in items]
    originals = torch.from_numpy(pixels[indices]).to(device)
    targets = torch.tensor([item.target for item in items], device=device)
    unit_originals = to_unit(originals)
    anonymised = to_uint8(attack.transform(unit_originals, targets))
    unit = to_unit(anonymised)
    found: list[dict[str, Json]] = []

    def stage(
        name: str, work: Callable[[], object], precision: str = "", gflop: float | None = None
    ) -> None:
        rate = len(items) / min(seconds_of(work, device, bench.load.repeats))
        row: dict[str, Json] = {
            "stage": name,
            "images/s": round(rate, 1),
            "ms/image": round(1000 / rate, 2),
            "GFLOP/image": None,
            "GFLOP/s": None,
            "precision": precision,
            "% of peak": None,
        }
        if gflop is not None:
            row["GFLOP/image"], row["GFLOP/s"] = round(gflop, 2), round(gflop * rate)
            row["% of peak"] = round(100 * gflop * rate / peaks.of(precision), 1)
        found.append(row)

    generate = partial(attack.transform, unit_originals, targets)
    stage("generator", generate, "fp32", cost.generator)
    features: dict[str, Tensor] = {}
    for victim in victims.values():
        digest = victim.frontend_digest
        if digest is not None and digest not in features:
            features[digest] = victim.frontend(unit)
            estimate = partial(victim.frontend, unit)
            stage("residual estimate (shared)", estimate, "fp32", cost.front_ends)
    for name, victim in victims.items():
        digest = victim.frontend_digest
        seen = unit if digest is None else features[digest]
        stage(name, partial(victim.backbone, seen), "bf16", cost.backbones[name])
    stage("PSNR", lambda: psnr_db(originals, anonymised))
    stage("SSIM", lambda: ssim(originals, anonymised))
    metric = load_lpips(device)
    stage("LPIPS", lambda: metric(originals, anonymised))
    base = base_rows(items, bench.suite.manifest("C"), bench.load.classes, "noise")
    values = np.full((len(items), len(bench.load.classes)), 1.0, dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:

        def write() -> None:
            for name, victim in victims.items():
                rows = prediction_rows(base, victim, values)
                rows.to_parquet(Path(folder) / f"{name}.parquet", index=False)

        stage("writing rows", write)
    return found
