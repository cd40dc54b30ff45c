"""One `camobench perf`: everything measured on one machine, in one run, and put together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import torch

from bench.contract import ATTACKS
from bench.jobs.scoring.rows import DISTORTION, read_record
from bench.perf.peaks import Peaks, describe_machine, in_child, measure_peaks
from bench.perf.timing import compare, time_reference, time_scoring, time_stages
from bench.perf.workbench import Load, Workbench, count_cost
from bench.plan.names.selection import select_victims
from bench.processes import keep_freed_memory
from bench.records.samples import most_complete
from bench.report.tables.render import render_rows
from bench.store import read_json
from bench.types import CamobenchError, Json, Progress, as_json

SCHEMA, STREAM_SCHEMA = 3, 1
PAPER_TARGETS = 5
STRETCHES = 10
"""Rows of a stream's table."""


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
    """What was measured.

    Attributes:
        figures: For scripts: keys are stable.
        tables: For people, each of rows.
    """

    figures: dict[str, Any]
    tables: Sequence[Sequence[Mapping[str, Json]]]

    def shown(self, format_: str) -> str:
        """The tables as "md", "csv" or "tex"; all figures as "json"."""
        if format_ == "json":
            return json.dumps(self.figures, indent=2)
        return "\n\n".join(render_rows(table, format_) for table in self.tables)


def measure(load: Load, device: torch.device, root: Path, progress: Progress) -> Performance:
    """Measure peaks, scoring against the reference loop, and each stage, in a store at `root`.

    What is timed runs in processes of its own.
    """
    progress.start("measuring", 3)
    peaks, where = measure_peaks(device), str(device)
    progress.advance()
    bench = Workbench(load, root).build()
    scoring = {name: in_child(time_scoring, bench, where, name) for name in ("mixed", "fp32")}
    batch = scoring["mixed"].batch
    reference = in_child(time_reference, bench, where, batch)
    cost = count_cost(bench)
    progress.advance()
    stages = in_child(time_stages, bench, where, peaks, cost, batch)
    progress.advance()
    progress.finish()
    machine, end = describe_machine(device), compare(load, cost, peaks, reference, scoring)
    figures = {
        "schema": SCHEMA,
        "plan": as_json(load),
        "machine": machine,
        "peaks": as_json(peaks),
        "stages": stages,
        "end_to_end": end,
    }
    return Performance(figures=figures, tables=(_summary(load, machine, peaks, end), stages))


def _summary(
    load: Load, machine: Mapping[str, Any], peaks: Peaks, end: Mapping[str, Any]
) -> list[dict[str, Json]]:
    rows = {
        "device": f"{machine['device_name']}, {machine['cores']} cores",
        "matrix products, fp32": f"{peaks.fp32_gflops:.0f} GFLOP/s",
        "matrix products, bf16": f"{peaks.bf16_gflops:.0f} GFLOP/s",
        "copies": f"{peaks.copy_gb_s:.1f} GB/s",
        "load": f"{load.transforms} transforms of {load.image_px} px on {len(load.victims)} "
        f"victims, {end['gflop_per_transform']:.0f} GFLOP each",
        "reference loop": f"{end['reference_seconds_per_transform']:.3f} s a transform",
        **{
            f"camobench, {name}": f"{end[f'seconds_per_transform{ending}']:.3f} s a transform: "
            f"{end[f'ratio_over_reference{ending}']:.1f} times the reference, "
            f"{100 * end[f'fraction_of_peak{ending}']:.0f} % of the bf16 peak"
            for name, ending in (("fp32", "_fp32"), ("mixed", ""))
        },
        "peak memory": f"{end['peak_memory_gib']:.2f} GiB, "
        f"{end['peak_memory_beyond_networks_gib']:.2f} of it beyond the networks",
    }
    return [{"what": what, "measured": measured} for what, measured in rows.items()]


def stream(load: Load, device: torch.device, root: Path, progress: Progress) -> Performance:
    """Score a whole row, image after image: do time and memory stay what they were?

    Shards are told in the order in which they were scored: the anonymised images up to its end,
    wall clock and processor time (which others on the machine move less), and what the process
    held after it. A killed stream continues.

    Args:
        load: Of small networks, so that it is the runner that is measured.
        device: Where; in this process.
        root: A store for networks, images and rows.
        progress: Told of every shard.
    """
    bench = Workbench(load, root).build()
    if device.type == "cpu":
        keep_freed_memory()
    session = bench.session(str(device), "mixed", progress)
    session.fill([load.attack])
    done, shards = 0, []
    for path in session.row_folder(load.attack).files(DISTORTION):
        record, count = read_record(path), pq.read_metadata(path).num_rows
        done += count
        shards.append(
            {
                "transforms": done,
                "s_per_transform": record["seconds"] / count,
                "cpu_s_per_transform": record["cpu_seconds"] / count,
                "memory_gib": record["memory_gib"],
            }
        )
    figures = {
        "schema": STREAM_SCHEMA,
        "plan": as_json(load),
        "machine": describe_machine(device),
        "shards": shards,
    }
    return Performance(figures=figures, tables=[_stretches(pd.DataFrame(shards))])


def _stretches(shards: pd.DataFrame) -> list[dict[str, Json]]:
    """A few rows for printing, each of neighbouring shards."""
    found: list[dict[str, Json]] = [
        {
            "transforms so far": int(part["transforms"].iloc[-1]),
            "s/transform": round(float(part["s_per_transform"].mean()), 4),
            "CPU s/transform": round(float(part["cpu_s_per_transform"].mean()), 4),
            "memory (GiB)": round(float(part["memory_gib"].max()), 3),
        }
        for _, part in shards.groupby(shards.index // -(-len(shards) // STRETCHES))
    ]
    return found


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
    """The paper's full method: a generator of full width."""
    return most_complete(entry.spec for entry in ATTACKS if entry.spec.paper_row) or ""
