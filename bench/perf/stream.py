"""A whole row at the paper's size, image after image: do time and memory stay what they were?

The networks are the smallest (recipe `smoke`), so that it is the runner that is measured. A row's
files say how long each shard took and what the process then held; a killed stream continues.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import torch

from bench.jobs.scoring.precision import Precision
from bench.jobs.scoring.rows import DISTORTION, read_record
from bench.perf.peaks import describe_machine
from bench.perf.workbench import Load, Workbench
from bench.plan.matrix import Matrix
from bench.processes import keep_freed_memory
from bench.report.tables.render import render_rows
from bench.types import Json, Progress, as_json

SCHEMA = 1
STRETCHES = 10
"""Rows of the table."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Some images, scored together.

    Attributes:
        transforms: Anonymised images that were scored up to its end.
        s_per_transform: Wall clock.
        cpu_s_per_transform: Processor time of the process, which others on the machine move less.
        memory_gib: What the process held after it.
    """

    transforms: int
    s_per_transform: float
    cpu_s_per_transform: float
    memory_gib: float


@dataclass(frozen=True, kw_only=True)
class Stream:
    """All shards, in the order in which they were scored."""

    load: Load
    machine: Mapping[str, Json]
    shards: Sequence[Shard]

    def as_json(self) -> Json:
        """For scripts: keys are stable."""
        said = {"plan": self.load, "machine": self.machine, "shards": self.shards}
        return as_json({"schema": SCHEMA, **said})

    def tables(self, format_: str) -> str:
        """Stretches of the stream as "md", "csv" or "tex"; every shard as "json"."""
        if format_ == "json":
            return json.dumps(self.as_json(), indent=2)
        size = -(-len(self.shards) // STRETCHES)
        parts = [self.shards[at : at + size] for at in range(0, len(self.shards), size)]
        return render_rows(
            [
                {
                    "transforms so far": part[-1].transforms,
                    "s/transform": round(sum(s.s_per_transform for s in part) / len(part), 4),
                    "CPU s/transform": round(
                        sum(s.cpu_s_per_transform for s in part) / len(part), 4
                    ),
                    "memory (GiB)": round(max(s.memory_gib for s in part), 3),
                }
                for part in parts
            ],
            format_,
        )


def stream(load: Load, device: torch.device, root: Path, progress: Progress) -> Stream:
    """Score the load's row in this process, as far as it is not there.

    Args:
        load: What is scored.
        device: Where.
        root: A store for networks, images and rows.
        progress: Told of every shard.
    """
    bench = Workbench(load=load, root=root).build()
    if device.type == "cpu":
        keep_freed_memory()
    chosen = Precision(name="mixed")
    matrix = Matrix(bench.graph, bench.site(device, chosen), progress=progress)
    matrix.fill([load.attack])
    done, shards = 0, []
    for path in matrix.row_folder(load.attack).files(DISTORTION):
        record, count = read_record(path), pq.read_metadata(path).num_rows
        done += count
        shards.append(
            Shard(
                transforms=done,
                s_per_transform=record["seconds"] / count,
                cpu_s_per_transform=record["cpu_seconds"] / count,
                memory_gib=record["memory_gib"],
            )
        )
    return Stream(load=load, machine=describe_machine(device), shards=shards)
