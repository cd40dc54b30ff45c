"""Training throughput: our trainer beside a conventional `DataLoader` loop, in one run.

Both train the same victims at full width on the same images, in turns, so that a busy machine
slows both. Ours runs as `camobench train` does: several networks side by side in worker processes,
in the precision of recipe `fast`. The loop trains them one after another, fp32, on all cores, its
loader's workers beside it.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bench.perf.training_work import (
    LoopSide,
    OurSide,
    Work,
    build_trainees,
    spanning,
    trainable_victims,
    write_images,
)
from bench.processes import cpu_count, obey_parent
from bench.training.side_by_side import default_workers, start_training_process
from bench.types import Progress, Silent

RECIPE = "fast"
LABEL = "training throughput"
REPEATS = 2


@dataclass(frozen=True)
class Rates:
    """Patches a second of one way to train.

    Attributes:
        whole: Data and network, as in training.
        data: Drawing, augmenting and handing over patches alone.
        network: The steps alone, on patches at hand.
    """

    whole: float
    data: float
    network: float


@dataclass(frozen=True, kw_only=True)
class Seconds:
    """One pass over all victims, timed.

    Attributes:
        ours: (whole, data) of each worker.
        loop: (whole, data, network) of its one process.
    """

    ours: tuple[tuple[float, float], ...]
    loop: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class TrainingThroughput:
    """What `measure_training` found.

    Attributes:
        ratio_over_dataloader: Whole steps of ours over those of the loop, median of the repeats.
        ratio_lowest: The smallest of the repeats.
        ratio_highest: The largest of the repeats.
        ratio_data: The same of the data path alone.
        ratio_network: The same of the networks alone.
        ours: Medians; the network's is what the whole leaves after the data.
        loop: Medians.
        victims: What was trained, at `width` times the paper's channels.
        workers: Networks trained side by side by ours.
        loader_workers: Worker processes of the loop's `DataLoader`, beside its own process.
        precision: Of ours; the loop's is fp32.
        load: Processes that ran or waited on the machine, of others, as measuring began; much above
            0 and both sides ran on what these left.
    """

    ratio_over_dataloader: float
    ratio_lowest: float
    ratio_highest: float
    ratio_data: float
    ratio_network: float
    ours: Rates
    loop: Rates
    victims: tuple[str, ...]
    recipe: str
    width: float
    precision: str
    batch: int
    steps: int
    repeats: int
    image_px: int
    device: str
    workers: int
    loader_workers: int
    load: float


def measure_training(
    device: torch.device,
    *,
    quick: bool,
    recipe: str = RECIPE,
    progress: Progress | None = None,
) -> TrainingThroughput:
    """Time our trainer and the loop in turns.

    Args:
        device: Where the networks are trained.
        quick: Three victims that span front-ends and backbones, instead of all, and on the CPU half
            the batch, at which updates weigh more and ours gains less.
        recipe: Whose widths and precision the networks have.
        progress: Told of each pass over the victims.
    """
    on_cpu = device.type == "cpu"
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    names = trainable_victims()
    workers = default_workers(device)
    with tempfile.TemporaryDirectory(prefix="camobench-perf-") as folder:
        work = Work(
            folder=Path(folder),
            victims=spanning(names) if quick else names,
            recipe=recipe,
            batch=(32 if quick else 64) if on_cpu else 128,
            steps=4 if on_cpu else 20,
            image_px=256 if on_cpu else 512,
            device=str(device),
        )
        write_images(work.folder, image_px=work.image_px)
        repeats = list(_repeats(work, workers, cpu_count(), REPEATS, progress or Silent()))
    return summarise(work, repeats, loader_workers=cpu_count(), load=load)


def summarise(
    work: Work, repeats: Sequence[Seconds], *, loader_workers: int, load: float
) -> TrainingThroughput:
    """Turn seconds into patches a second and ratios.

    Every worker of ours trains all victims of `work`, so that as many passes as there are workers
    take the mean of their seconds; what the data leaves of it is the network's.
    """
    ours, loop = [], []
    for found in repeats:
        whole, data = (statistics.mean(part) for part in zip(*found.ours, strict=True))
        patches = len(found.ours) * work.patches
        ours.append([patches / whole, patches / data, patches / max(whole - data, 1e-9)])
        loop.append([work.patches / seconds for seconds in found.loop])
    ratios = [[a / b for a, b in zip(*pair, strict=True)] for pair in zip(ours, loop, strict=True)]
    whole_ratio, data_ratio, network_ratio = _medians(ratios)
    budgets = [trainee.budget for trainee in build_trainees(work)]
    return TrainingThroughput(
        ratio_over_dataloader=whole_ratio,
        ratio_lowest=min(whole for whole, _, _ in ratios),
        ratio_highest=max(whole for whole, _, _ in ratios),
        ratio_data=data_ratio,
        ratio_network=network_ratio,
        ours=Rates(*_medians(ours)),
        loop=Rates(*_medians(loop)),
        victims=work.victims,
        recipe=work.recipe,
        width=budgets[0].width,
        precision=budgets[0].precision,
        batch=work.batch,
        steps=work.steps,
        repeats=len(repeats),
        image_px=work.image_px,
        device=work.device,
        workers=len(repeats[0].ours),
        loader_workers=loader_workers,
        load=load,
    )


def _medians(rows: Sequence[Sequence[float]]) -> list[float]:
    return [statistics.median(column) for column in zip(*rows, strict=True)]


def _repeats(
    work: Work, workers: int, loader_workers: int, count: int, progress: Progress
) -> Iterator[Seconds]:
    """Time both sides in turns; each has processes of its own, with its own settings."""
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(workers)
    ours = ProcessPoolExecutor(
        workers, mp_context=spawn, initializer=_start_ours, initargs=(work, workers, barrier)
    )
    loop = ProcessPoolExecutor(
        1, mp_context=spawn, initializer=_start_loop, initargs=(work, loader_workers)
    )
    with ours, loop:
        progress.start(LABEL, 2 * count)
        for _ in range(count):
            theirs = loop.submit(_time_loop).result()
            progress.advance()
            tasks = [ours.submit(_time_ours) for _ in range(workers)]
            progress.advance()
            yield Seconds(ours=tuple(task.result() for task in tasks), loop=theirs)
        progress.finish()


_side: Any = None
_barrier: Any = None


def _start_ours(work: Work, workers: int, barrier: Any) -> None:
    global _side, _barrier
    start_training_process(workers)
    _side, _barrier = OurSide(work), barrier


def _start_loop(work: Work, loader_workers: int) -> None:
    global _side
    obey_parent()
    torch.set_num_threads(cpu_count())  # the default, unless the environment says otherwise
    _side = LoopSide(work, loader_workers)


def _time_ours() -> tuple[float, float]:
    """Whole and data, while every other worker does the same from another victim on."""
    place = _barrier.wait() / _barrier.parties
    whole = _side.whole_s(first=int(place * len(_side.trainees)))
    _barrier.wait()
    return whole, _side.data_s()


def _time_loop() -> tuple[float, float, float]:
    return _side.whole_s(), _side.data_s(), _side.network_s()
