"""How fast it is, and beside what: JPEG re-compression, or torchvision's ResNet-18."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.models import resnet18  # type: ignore[import-untyped]

from bench.checks import to_unit
from bench.verdicts import Verdict
from bench.verify.contract_checks.subject import CLASSES, Subject, pixels
from bench.verify.contract_checks.verdicts import RUNS, Check, ok

SIDE_PX, BATCH, LEAST_S = 256, 4, 0.5


def check_speed(subject: Subject) -> Verdict:
    """Images a second at 256 px, and in units of something that everyone knows."""
    images = pixels(BATCH, SIDE_PX, SIDE_PX)
    mine = _images_per_second(lambda: subject.run(images))
    if subject.kind == "attack":
        reference, other = "re-compressing them as JPEG", _images_per_second(lambda: _jpeg(images))
    else:
        network = resnet18(num_classes=len(CLASSES)).to(subject.device).eval()
        unit = to_unit(images).to(subject.device)
        with torch.no_grad():
            other = _images_per_second(lambda: network(unit).cpu())
        reference = "torchvision's ResNet-18"
    return ok(
        f"{_figure(mine)} images/s of {SIDE_PX} px on {subject.device}, {_figure(mine / other)} "
        f"times as fast as {reference} ({_figure(other)})"
    )


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _images_per_second(call: Callable[[], object]) -> float:
    call()
    count, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < LEAST_S or not count:
        call()
        count += 1
    return BATCH * count / spent


def _jpeg(images: Tensor) -> None:
    for image in images.permute(0, 2, 3, 1).numpy():
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=85)
        np.asarray(Image.open(buffer))


CHECKS = (Check(name="speed", run=check_speed, needs=RUNS),)
