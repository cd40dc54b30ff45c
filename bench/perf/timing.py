"""Scoring as `camobench run` does it, the reference loop on the same networks and images, stages.

Each is called in a process of its own: the reference with torch's defaults, ours as a run is set
up. Both score every image on all victims and measure the same distortions; ours also writes its
rows.
"""

from __future__ import annotations

import gc
import shutil
import statistics
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bench.checks import to_uint8, to_unit
from bench.jobs.networks import Networks
from bench.jobs.scoring.items import asked_of
from bench.jobs.scoring.rows import base_rows, prediction_rows
from bench.metrics.distortion import psnr_db, ssim
from bench.metrics.lpips import load_lpips
from bench.nets.fast_layers import Arbitrated
from bench.perf.peaks import Peaks, seconds_of
from bench.perf.reference import reference_loop
from bench.perf.workbench import Cost, Load, Workbench
from bench.processes import keep_freed_memory, memory_gib, peak_memory_gib
from bench.types import Json, as_json


@dataclass(frozen=True, kw_only=True)
class Times:
    """One process that does the work several times.

    Attributes:
        seconds: Of each repeat, networks opened before.
        transforms: Images anonymised in each; the reference loop takes the first of the load.
        peak_memory_gib: Memory at most.
        networks_gib: Of a run: memory when the networks were open.
        batch: Images at a time.
        close_calls: Share of classifications that were too close for bf16 and decided in fp32.
    """

    seconds: tuple[float, ...]
    transforms: int
    peak_memory_gib: float
    batch: int
    networks_gib: float = 0.0
    close_calls: float = 0.0

    @property
    def s_per_transform(self) -> float:
        """Median over repeats."""
        return statistics.median(self.seconds) / self.transforms


def compare(
    load: Load, cost: Cost, peaks: Peaks, reference: Times, scoring: Mapping[str, Times]
) -> dict[str, Json]:
    """What the times of the reference loop and of scoring, by precision, say of each other.

    For scripts: keys are stable.
    """
    mixed = scoring["mixed"]
    figures: dict[str, Json] = {
        "peak_memory_gib": mixed.peak_memory_gib,
        "peak_memory_beyond_networks_gib": mixed.peak_memory_gib - mixed.networks_gib,
        "reference_seconds_per_transform": reference.s_per_transform,
        "gflop_per_transform": cost.gflop_per_transform,
        "close_calls_decided_in_fp32": mixed.close_calls,
        "precision": {"generator": "fp32", "front_ends": "fp32", "backbones": "bf16"},
        "load": as_json(load),
        "runner": as_json(scoring),
        "reference": as_json(reference),
    }
    for name, ending in (("mixed", ""), ("fp32", "_fp32")):
        seconds = scoring[name].s_per_transform
        done_gflops = cost.gflop_per_transform / seconds
        figures |= {
            f"seconds_per_transform{ending}": seconds,
            f"ratio_over_reference{ending}": reference.s_per_transform / seconds,
            f"fraction_of_peak{ending}": done_gflops / peaks.bf16_gflops,
        }
    return figures


def time_scoring(bench: Workbench, device_name: str, precision: str) -> Times:
    """Fill the row of the load's attack, again and again from nothing."""
    device = torch.device(device_name)
    if device.type == "cpu":
        keep_freed_memory()
    session = bench.session(device_name, precision)
    victims = [session.networks.victim(name) for name in bench.graph.victims]
    session.networks.attack(bench.load.attack)
    gc.collect()
    networks = memory_gib(device)

    def fill() -> None:
        shutil.rmtree(bench.root / "predictions", ignore_errors=True)
        session.fill([bench.load.attack])

    seconds = seconds_of(fill, device, bench.load.repeats)
    deciders = [m for victim in victims for m in victim.modules() if isinstance(m, Arbitrated)]
    seen, close = (sum(getattr(one, name) for one in deciders) for name in ("seen", "close"))
    return Times(
        seconds=tuple(seconds),
        transforms=bench.load.transforms,
        networks_gib=networks,
        peak_memory_gib=peak_memory_gib(device),
        batch=session.place.scorer.batch,
        close_calls=close / seen if seen else 0.0,
    )


def time_reference(bench: Workbench, device_name: str, batch: int) -> Times:
    """Run the reference loop on the first images of the load, with torch's defaults."""
    device, load = torch.device(device_name), bench.load
    images = min(load.reference_images, load.images)
    default_tf32 = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    networks = Networks(bench.graph, bench.shelf, device)  # which turns TF32 off
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = default_tf32
    plain = torch.contiguous_format
    attack = networks.attack(load.attack).to(memory_format=plain)
    victims = {name: networks.victim(name).to(memory_format=plain) for name in bench.graph.victims}
    classes = load.classes
    labels = [classes.index(model) for model in bench.suite.manifest("C")["model"][:images]]
    pixels = torch.from_numpy(bench.suite.images("C")[:images])

    def loop(count: int = images) -> None:
        some = slice(count)
        reference_loop(
            attack, victims, pixels[some], labels[some], len(classes), device=device, batch=batch
        )

    return Times(
        seconds=tuple(seconds_of(loop, device, load.repeats, first=partial(loop, 1))),
        transforms=images * load.targets,
        batch=batch,
        peak_memory_gib=peak_memory_gib(device),
    )


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
    networks = bench.session(device_name, "mixed").networks
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
