"""Simulated suites: takes the photographs of a plan, on any number of processes.

A photograph's bytes depend on the suite's seed and image size and on the names of its scene, device
and image alone, so the number of workers changes nothing but the time. The scene is rendered once
for successive photographs of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial

import torch

from bench.data import decode_rgb
from bench.processes import in_order, obey_parent, worker_context
from bench.suites.base import Images, Row, SuiteCard
from bench.suites.photographs.jpeg_header import read_jpeg_header
from bench.suites.simcam import derive_seed
from bench.suites.simcam.cameras import load_cameras, make_device
from bench.suites.simcam.pipeline import capture
from bench.suites.simcam.plan import SIMCAM_SMOKE, SimcamSpec, plan
from bench.suites.simcam.scenes import render_scene
from bench.types import SetName

SMOKE_NOTE = "a few images and networks of two steps: the numbers mean nothing"
_AHEAD = 3  # scenes in flight per worker: enough to keep it busy, few enough to hold in memory


@dataclass(frozen=True)
class SimcamSource:
    """The images of a simulated suite; each is a whole photograph."""

    spec: SimcamSpec

    @cached_property
    def card(self) -> SuiteCard:
        """What the suite is."""
        return SuiteCard(
            name=self.spec.name,
            version=self.spec.version,
            fingerprint=self.spec.fingerprint(),
            classes=self.spec.models_in,
            others=self.spec.models_out,
            more_models=self.spec.models_out,
            image_px=self.spec.image_px,
            note=SMOKE_NOTE if self.spec is SIMCAM_SMOKE else "",
        )

    def count(self, set_name: SetName) -> int:
        """Number of images in a set."""
        return sum(self.spec.counts(set_name).values())

    def rows(self, set_name: SetName, workers: int, start: int = 0) -> Images:
        """Take the photographs of a set, in the order of the plan, from number `start` on."""
        for row, data in render(self.spec, plan(self.spec, set_name)[start:], workers):
            sha256 = hashlib.sha256(data).hexdigest()
            yield (
                replace(row, sha256=sha256, **read_jpeg_header(data)),
                decode_rgb(data, row.image_id),
            )


def render(spec: SimcamSpec, rows: Sequence[Row], workers: int = 1) -> Iterator[tuple[Row, bytes]]:
    """Yield each photograph of a plan with the bytes of its JPEG file, in the order given.

    Those of one scene should follow each other. One worker is this process.
    """
    groups = (list(group) for _, group in itertools.groupby(rows, lambda row: row.scene))
    work = partial(_photograph, spec)
    if workers == 1:
        taken: Iterator[list[tuple[Row, bytes]]] = map(work, groups)
    else:
        pool = ProcessPoolExecutor(workers, mp_context=worker_context(), initializer=obey_parent)
        taken = in_order(pool, work, groups, workers * _AHEAD)
    for pairs in taken:
        yield from pairs


def _photograph(spec: SimcamSpec, rows: Sequence[Row]) -> list[tuple[Row, bytes]]:
    """Take successive photographs of one scene."""
    with _one_thread(), torch.inference_mode():
        scene = derive_seed(spec.seed, "scene", str(rows[0].scene))
        radiance, cameras = render_scene(scene, spec.image_px), load_cameras()
        taken = []
        for row in rows:
            index = int(row.device.removeprefix(f"{row.model}-d"))
            device = make_device(cameras[row.model], index, derive_seed(spec.seed, "devices"))
            shot = derive_seed(spec.seed, "shot", row.image_id)
            taken.append((row, capture(radiance, device, shot)))
        return taken


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread: sums then run in the same order wherever the work is done."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
