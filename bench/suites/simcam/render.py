"""Take the photographs of a plan, on any number of processes.

A photograph's bytes depend on its `Shot` and the image size alone, so the number of workers
changes nothing but the time. The scene is rendered once for successive shots of it.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor

import torch

from bench.processes import obey_parent
from bench.suites.simcam.cameras import load_cameras, make_device
from bench.suites.simcam.pipeline import capture
from bench.suites.simcam.plan import Shot
from bench.suites.simcam.scenes import render_scene

_AHEAD = 3  # scenes in flight per worker: enough to keep it busy, few enough to hold in memory


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread: sums then run in the same order wherever the work is done."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _photograph(shots: Sequence[Shot], image_px: int) -> list[bytes]:
    """Return the files of successive shots of one scene."""
    with _one_thread(), torch.inference_mode():
        radiance = render_scene(shots[0].scene_seed, image_px)
        cameras = load_cameras()
        return [
            capture(
                radiance,
                make_device(cameras[shot.model], shot.device_index, shot.device_seed),
                shot.shot_seed,
            )
            for shot in shots
        ]


def _results(
    groups: Iterator[list[Shot]], image_px: int, workers: int
) -> Generator[tuple[list[Shot], list[bytes]], None, None]:
    """Yield each scene's shots with their files, in order."""
    if workers == 1:
        for group in groups:
            yield group, _photograph(group, image_px)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=obey_parent)
    pending: deque[tuple[list[Shot], Future[list[bytes]]]] = deque()
    try:
        for group in groups:
            pending.append((group, pool.submit(_photograph, group, image_px)))
            if len(pending) >= workers * _AHEAD:
                done, future = pending.popleft()
                yield done, future.result()
        while pending:
            done, future = pending.popleft()
            yield done, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def render(shots: Sequence[Shot], image_px: int, workers: int = 1) -> Iterator[tuple[Shot, bytes]]:
    """Yield each shot with the bytes of its JPEG file, in the order given.

    Args:
        shots: The photographs to take; the shots of one scene should follow each other.
        image_px: Side of the square images.
        workers: Number of processes; 1 works in this one.
    """
    groups = (list(group) for _, group in itertools.groupby(shots, lambda shot: shot.scene_seed))
    with contextlib.closing(_results(groups, image_px, workers)) as results:
        for group, files in results:
            yield from zip(group, files, strict=True)
