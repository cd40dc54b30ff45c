"""One `camobench perf`: everything measured on one machine, in one run, and put together."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from bench.contract import ATTACKS
from bench.perf.end_to_end import EndToEnd, measure_end_to_end
from bench.perf.peaks import Peaks, describe_machine, measure_peaks
from bench.perf.stages import Stage, measure_stages
from bench.perf.workbench import Load, Workbench
from bench.plan.names.selection import select_victims
from bench.report.tables.render import render_rows
from bench.store import read_json
from bench.types import CamobenchError, Json, Progress, as_json

SCHEMA = 3
PAPER_TARGETS = 5


def make_load(device: torch.device, *, quick: bool, image_px: int | None = None) -> Load:
    """What suits a device; smaller images and fewer repeats if `quick`."""
    cuda = device.type == "cuda"
    few, many = (64, 256) if cuda else (8, 8)
    slow = few if quick or cuda else 4
    usual_px = (256 if cuda else 128) * (1 if quick else 2)
    return Load(
        image_px=image_px or usual_px,
        images=few if quick else many,
        targets=4,
        attack=_fullest_attack(),
        victims=tuple(select_victims("all")),
        reference_images=slow,
        repeats=2 if quick else 3,
    )


def make_stream_load(transforms: int, image_px: int | None = None) -> Load:
    """A row of that many transforms, with the targets that the paper has, on small networks."""
    return Load(
        image_px=image_px or 512,
        images=-(-transforms // PAPER_TARGETS),
        targets=PAPER_TARGETS,
        attack=_fullest_attack(),
        victims=tuple(select_victims("all")),
        recipe="smoke",
    )


@dataclass(frozen=True, kw_only=True)
class Performance:
    """Everything that was measured."""

    machine: Mapping[str, Json]
    peaks: Peaks
    stages: tuple[Stage, ...]
    end_to_end: EndToEnd

    def as_json(self) -> Json:
        """For scripts: keys are stable."""
        return as_json(
            {
                "schema": SCHEMA,
                "plan": self.end_to_end.load,
                "machine": self.machine,
                "peaks": self.peaks,
                "stages": [stage.row() for stage in self.stages],
                "end_to_end": self.end_to_end.figures(),
            }
        )

    def tables(self, format_: str) -> str:
        """Ratios, then where the time goes, as "md", "csv" or "tex"; all figures as "json"."""
        if format_ == "json":
            return json.dumps(self.as_json(), indent=2)
        tables = (self._summary(), [stage.row() for stage in self.stages])
        return "\n\n".join(render_rows(table, format_) for table in tables)

    def _summary(self) -> list[dict[str, Json]]:
        end, mixed = self.end_to_end, self.end_to_end.scoring["mixed"]
        load, beyond = end.load, mixed.peak_memory_gib - mixed.networks_gib
        rows = {
            "device": f"{self.machine['device_name']}, {self.machine['cores']} cores",
            "matrix products, fp32": f"{self.peaks.fp32_gflops:.0f} GFLOP/s",
            "matrix products, bf16": f"{self.peaks.bf16_gflops:.0f} GFLOP/s",
            "copies": f"{self.peaks.copy_gb_s:.1f} GB/s",
            "load": f"{load.transforms} transforms of {load.image_px} px on {len(load.victims)} "
            f"victims, {end.cost.gflop_per_transform:.0f} GFLOP each",
            "reference loop": f"{end.reference.s_per_transform:.3f} s a transform",
            **{
                f"camobench, {name}": f"{end.scoring[name].s_per_transform:.3f} s a transform: "
                f"{end.ratio(name):.1f} times the reference, "
                f"{100 * end.fraction_of_peak(name):.0f} % of the bf16 peak"
                for name in ("fp32", "mixed")
            },
            "peak memory": f"{mixed.peak_memory_gib:.2f} GiB, {beyond:.2f} of it beyond the "
            "networks",
        }
        return [{"what": what, "measured": measured} for what, measured in rows.items()]


def measure(load: Load, device: torch.device, progress: Progress) -> Performance:
    """Measure peaks, scoring against the reference loop, and each stage."""
    progress.start("measuring", 3)
    peaks = measure_peaks(device)
    progress.advance()
    with tempfile.TemporaryDirectory(prefix="camobench-perf-") as folder:
        bench = Workbench(load=load, root=Path(folder) / "store").build()
        end = measure_end_to_end(bench, device, peaks)
        progress.advance()
        stages = measure_stages(bench, device, peaks, end.cost, end.scoring["mixed"].batch)
        progress.advance()
    progress.finish()
    machine = describe_machine(device)
    return Performance(machine=machine, peaks=peaks, stages=tuple(stages), end_to_end=end)


def require_same_load(path: Path, load: Load) -> None:
    """Refuse to replace a file, unless it holds figures of the same load.

    Raises:
        CamobenchError: If it holds anything else.
    """
    try:
        same = not path.exists() or read_json(path).get("plan") == as_json(load)
    except CamobenchError:
        same = False
    if not same:
        raise CamobenchError(f"{path} holds something else: choose another name, or remove it")


def _fullest_attack() -> str:
    """The paper row with most LAACs: a generator of full width."""
    specs = [entry.spec for entry in ATTACKS if entry.spec.paper_row]
    return max(specs, key=lambda spec: (len(spec.laac), not spec.scfa)).name
