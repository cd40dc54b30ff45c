"""Simulated suites: photographs of the plan in `bench.suites.simcam`, decoded as they are taken."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bench.data import decode_rgb
from bench.suites.base import Row, SuiteCard
from bench.suites.layouts.jpeg_header import read_jpeg_header
from bench.suites.simcam.plan import SIMCAM_SMOKE, Shot, SimcamSpec, plan
from bench.suites.simcam.render import render
from bench.types import SetName

SMOKE_NOTE = "a few images and networks of two steps: the numbers mean nothing"


class SimcamSource:
    """The images of a simulated suite; each is a whole photograph.

    Args:
        spec: What the suite is.
    """

    def __init__(self, spec: SimcamSpec) -> None:
        self.spec = spec

    @cached_property
    def card(self) -> SuiteCard:
        """What the suite is."""
        return SuiteCard(
            name=self.spec.name,
            version=self.spec.version,
            fingerprint=self.spec.fingerprint(),
            classes=self.spec.models_in,
            others=self.spec.models_out,
            image_px=self.spec.image_px,
            note=SMOKE_NOTE if self.spec is SIMCAM_SMOKE else "",
        )

    def count(self, set_name: SetName) -> int:
        """Number of images in a set."""
        return sum(self.spec.counts(set_name).values())

    def rows(
        self, set_name: SetName, workers: int, start: int = 0
    ) -> Iterator[tuple[Row, NDArray[np.uint8]]]:
        """Take the photographs of a set, in the order of the plan, from number `start` on."""
        for shot, data in render(plan(self.spec, set_name)[start:], self.spec.image_px, workers):
            yield _row(shot, data), decode_rgb(data, shot.image_id)


def _row(shot: Shot, data: bytes) -> Row:
    return Row(
        image_id=shot.image_id,
        photo_id=shot.image_id,
        model=shot.model,
        device=shot.device,
        scene=shot.scene,
        set=shot.set,
        split=shot.split,
        partition=shot.partition,
        sha256=hashlib.sha256(data).hexdigest(),
        **read_jpeg_header(data),
    )
