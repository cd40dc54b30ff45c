"""What a new victim and a new attack cost on a matrix that is there, as shares of filling it."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from bench.perf.children import in_child
from bench.perf.workbench import Load, Workbench
from bench.processes import keep_freed_memory
from bench.runner.cells import RowFolder, cell_stem
from bench.runner.matrix import Matrix
from bench.runner.precision import Precision


@dataclass(frozen=True, kw_only=True)
class Incremental:
    """Seconds, networks open.

    Attributes:
        full_s: All attacks on all victims.
        column_s: One more victim, its images generated anew.
        column_kept_s: One more victim on kept images.
        row_s: One more attack.
        victims: Of the full matrix.
        attacks: Of the full matrix.
    """

    full_s: float
    column_s: float
    column_kept_s: float
    row_s: float
    victims: int
    attacks: int

    @property
    def column_share(self) -> float:
        """Of the full run, with the generators."""
        return self.column_s / self.full_s

    @property
    def column_kept_share(self) -> float:
        """Of the full run, on kept images."""
        return self.column_kept_s / self.full_s

    @property
    def row_share(self) -> float:
        """Of the full run."""
        return self.row_s / self.full_s


def measure_incremental(
    load: Load, other_attack: str, root: Path, device: torch.device
) -> Incremental:
    """Fill a matrix of two attacks, then take one victim, or one attack, away and fill again.

    Args:
        load: Its last victim and its attack are the new ones.
        other_attack: The second attack.
        root: An empty folder.
        device: Where.
    """
    bench = Workbench(load=load, root=root).build()
    Workbench(load=replace(load, attack=other_attack), root=root).build()
    return in_child(_measure, bench, other_attack, str(device))


def _measure(bench: Workbench, other_attack: str, device_name: str) -> Incremental:
    device = torch.device(device_name)
    if device.type == "cpu":
        keep_freed_memory()
    graph = bench.graph_of((bench.load.attack, other_attack))

    def matrix(*, keep_images: bool = False) -> Matrix:
        opened = Matrix(
            graph,
            bench.suite,
            bench.shelf,
            device,
            precision=Precision(name="mixed"),
            keep_images=keep_images,
        )
        for name in graph.victims:
            opened.networks.victim(name)
        return opened

    attacks = (bench.load.attack, other_attack)
    filler = matrix()
    filler.fill(attacks[:1])  # pays for what is set up once
    shutil.rmtree(bench.root / "predictions")
    full = _time(filler, attacks)
    shutil.rmtree(filler.row_folder(bench.load.attack))
    row = _time(filler, attacks)
    _forget_column(filler, bench.load.victims[-1])
    column = _time(filler, attacks)
    matrix(keep_images=True).fill(attacks)
    _forget_column(filler, bench.load.victims[-1])
    kept = _time(filler, attacks)
    return Incremental(
        full_s=full,
        column_s=column,
        column_kept_s=kept,
        row_s=row,
        victims=len(bench.load.victims),
        attacks=len(attacks),
    )


def _time(matrix: Matrix, attacks: tuple[str, ...]) -> float:
    began = time.perf_counter()
    matrix.fill(attacks)
    return time.perf_counter() - began


def _forget_column(matrix: Matrix, victim: str) -> None:
    for attack in matrix.graph.attacks:
        RowFolder(matrix.row_folder(attack)).file(cell_stem(matrix.networks, victim)).unlink()
