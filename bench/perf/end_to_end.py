"""Scoring as `camobench run` does it against the reference loop, on the same networks and images.

Each runs in a process of its own: the reference with torch's defaults, ours as a run is set up.
Both score every image on all victims and measure the same distortions; ours also writes its rows.
"""

from __future__ import annotations

import gc
import shutil
import statistics
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch

from bench.jobs.networks import Networks
from bench.jobs.scoring.precision import Precision
from bench.nets.fast_layers import Arbitrated
from bench.perf.peaks import Peaks, in_child, seconds_of
from bench.perf.reference import reference_loop
from bench.perf.workbench import Cost, Load, Workbench, count_cost
from bench.plan.matrix import Matrix
from bench.processes import keep_freed_memory, memory_gib, peak_memory_gib


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


@dataclass(frozen=True, kw_only=True)
class EndToEnd:
    """Scoring in both precisions, the reference loop, and what they say of each other."""

    load: Load
    cost: Cost
    reference: Times
    scoring: dict[str, Times]
    peaks: Peaks

    def ratio(self, precision: str) -> float:
        """How many times as fast as the reference loop."""
        return self.reference.s_per_transform / self.scoring[precision].s_per_transform

    def fraction_of_peak(self, precision: str) -> float:
        """Operations that have to be done, a second, over the best bf16 matrix product's."""
        done = self.cost.gflop_per_transform / self.scoring[precision].s_per_transform
        return done / self.peaks.bf16_gflops

    def figures(self) -> dict[str, Any]:
        """For scripts: keys are stable."""
        mixed = self.scoring["mixed"]
        return {
            "ratio_over_reference": self.ratio("mixed"),
            "ratio_over_reference_fp32": self.ratio("fp32"),
            "fraction_of_peak": self.fraction_of_peak("mixed"),
            "fraction_of_peak_fp32": self.fraction_of_peak("fp32"),
            "peak_memory_gib": mixed.peak_memory_gib,
            "peak_memory_beyond_networks_gib": mixed.peak_memory_gib - mixed.networks_gib,
            "seconds_per_transform": mixed.s_per_transform,
            "seconds_per_transform_fp32": self.scoring["fp32"].s_per_transform,
            "reference_seconds_per_transform": self.reference.s_per_transform,
            "gflop_per_transform": self.cost.gflop_per_transform,
            "close_calls_decided_in_fp32": mixed.close_calls,
            "precision": {"generator": "fp32", "front_ends": "fp32", "backbones": "bf16"},
            "load": asdict(self.load),
            "runner": {name: asdict(times) for name, times in self.scoring.items()},
            "reference": asdict(self.reference),
        }


def measure_end_to_end(bench: Workbench, device: torch.device, peaks: Peaks) -> EndToEnd:
    """Time scoring in fp32 and mixed precision, and the reference loop in the same batches.

    Args:
        bench: What is scored.
        device: Where.
        peaks: Of this machine, measured in the same run.
    """
    scoring = {name: in_child(time_scoring, bench, str(device), name) for name in ("mixed", "fp32")}
    reference = in_child(time_reference, bench, str(device), scoring["mixed"].batch)
    cost = count_cost(bench)
    return EndToEnd(load=bench.load, cost=cost, reference=reference, scoring=scoring, peaks=peaks)


def time_scoring(bench: Workbench, device_name: str, precision: str) -> Times:
    """Fill the row of the load's attack, again and again from nothing."""
    device = torch.device(device_name)
    if device.type == "cpu":
        keep_freed_memory()
    chosen = Precision(name=precision)
    matrix = Matrix(bench.graph, bench.site(device, chosen))
    victims = [matrix.networks.victim(name) for name in bench.graph.victims]
    matrix.networks.attack(bench.load.attack)
    gc.collect()
    networks = memory_gib(device)

    def fill() -> None:
        shutil.rmtree(bench.root / "predictions", ignore_errors=True)
        matrix.fill([bench.load.attack])

    seconds = seconds_of(fill, device, bench.load.repeats)
    deciders = [m for victim in victims for m in victim.modules() if isinstance(m, Arbitrated)]
    seen, close = (sum(getattr(one, name) for one in deciders) for name in ("seen", "close"))
    return Times(
        seconds=tuple(seconds),
        transforms=bench.load.transforms,
        networks_gib=networks,
        peak_memory_gib=peak_memory_gib(device),
        batch=matrix.scorer.batch,
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
