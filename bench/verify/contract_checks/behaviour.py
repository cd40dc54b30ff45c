"""What both kinds must do with images: any size, any batch, the same again, nothing in place."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from bench.checks import PATCH_PX
from bench.contract.global_state import global_state
from bench.verdicts import Verdict
from bench.verify.contract_checks.subject import (
    Subject,
    difference,
    fail,
    ok,
    pixels,
    warn,
)
from bench.verify.contract_checks.watching import Watch

SIZES = ((PATCH_PX, PATCH_PX), (65, 97), (98, 67), (128, 64))
ODD = (65, 97)
SMALLER = (48, 32, 16, 8)


def check_sizes(subject: Subject) -> Verdict:
    """Photographs have any size."""
    for height, width in SIZES:
        try:
            out = subject.run(pixels(2, height, width))
        except Exception as error:
            return fail(
                f"images of {height} x {width}: {_said(error)}",
                "take any size from 64 x 64 on: pad inside and crop again, or pool over the image",
            )
        if subject.kind == "attack" and out.shape[-2:] != (height, width):
            return fail(f"{height} x {width} becomes {tuple(out.shape)}", "return the size given")
    smallest = PATCH_PX
    for side in SMALLER:
        try:
            subject.run(pixels(1, side, side))
        except Exception:
            break
        smallest = side
    sizes = ", ".join(f"{height} x {width}" for height, width in SIZES)
    return ok(f"{sizes}; squares down to {smallest} px")


def check_batches(subject: Subject) -> Verdict:
    """An image's result does not depend on its neighbours in the batch."""
    images = pixels(5, *ODD)
    targets = _targets(subject, 5)
    together = subject.run(images, targets)
    alone = torch.cat(
        [
            subject.run(images[i : i + 1], None if targets is None else targets[i : i + 1])
            for i in range(5)
        ]
    )
    moved = difference(together, alone)
    if moved.matters:
        return fail(
            f"five at once or one by one: {moved}",
            "let no image see another: no statistics over the batch (batch normalisation in "
            "training mode, means over all images)",
        )
    return ok(f"five at once or one by one: {moved}")


def check_repeatable(subject: Subject) -> Verdict:
    """The same images give the same again, whatever ran in between."""
    images, others = pixels(3, *ODD), pixels(2, 64, 96, seed=7)
    unused = subject.thing if subject.thing.learns else subject.build()
    torch.manual_seed(0)
    first = subject.run(images, thing=unused)
    at_once = difference(first, subject.run(images, thing=unused))
    torch.manual_seed(1)
    np.random.seed(1)
    subject.run(others, thing=unused)
    later = difference(first, subject.run(images, thing=unused))
    for moved, what in ((at_once, "at once"), (later, "after other images")):
        if moved.count:
            return fail(
                f"another result {what}: {moved}",
                "draw random numbers from a generator of its own, seeded anew in every call, and "
                "keep nothing from call to call",
            )
    return ok("the same to the last bit, at once and after other images")


def check_company(subject: Subject) -> Verdict:
    """What comes with an image, now or before, tells nothing of it."""
    images = pixels(3, *ODD, seed=11)[[0, 1, 0, 2, 1, 0]]
    targets = None if _targets(subject, 1) is None else torch.tensor([0, 1, 1, 0, 2, 2])
    thing = subject.thing if subject.thing.learns else subject.build()

    def alone(place: int) -> Tensor:
        chosen = None if targets is None else targets[place : place + 1]
        return subject.run(images[place : place + 1], chosen, thing)

    first = torch.cat([alone(place) for place in range(6)])
    together = subject.run(images, targets, thing)
    again = torch.cat([alone(place) for place in reversed(range(6))]).flip(0)
    for other, what in ((together, "beside itself with"), (again, "after it came with")):
        moved = difference(first, other)
        if moved.matters:
            return fail(
                f"an image {what} other targets gives another result: {moved}",
                "treat every image by itself, and keep nothing from call to call",
            )
    return ok("the same, whatever comes with an image or came before")


def check_inputs(subject: Subject) -> Verdict:
    """What it is handed stays as it is."""
    unit = (pixels(2, 64, 96).float() / 255).to(subject.device)
    targets = _targets(subject, 2)
    before, wanted = unit.clone(), None if targets is None else targets.clone()
    with torch.no_grad():
        if subject.kind == "attack":
            subject.thing.transform(unit, None if targets is None else targets.to(subject.device))
        else:
            subject.thing.logits(unit)
    changed = [] if torch.equal(unit, before) else ["images"]
    if targets is not None and wanted is not None and not torch.equal(targets, wanted):
        changed.append("targets")
    if changed:
        return fail(
            f"changes its {' and '.join(changed)} in place",
            "work on a copy: images.clone(), or functions without a trailing underscore",
        )
    return ok("not changed in place")


def check_settings(subject: Subject) -> Verdict:
    """What torch keeps for the whole process is everyone's."""
    before = global_state()
    thing = subject.build()
    if thing.learns and not subject.untrained:
        subject.train(thing, Watch())
    subject.run(pixels(2, 64, 64), thing=thing)
    changed = [name for name, value in global_state().items() if value != before[name]]
    if changed:
        return warn(
            f"changes torch's settings: {', '.join(changed)}",
            "leave them, or put them back: the harness undoes it after each call",
        )
    return ok("leaves torch's as they are")


def check_device(subject: Subject) -> Verdict:
    """All of it moves to the device of the images."""
    stray = [
        f"{prefix}.{name}".lstrip(".")
        for prefix, part in subject.thing.named_modules()
        for name, value in vars(part).items()
        if isinstance(value, Tensor)
    ]
    if stray:
        return fail(
            f"plain tensors that stay behind when it moves: {', '.join(stray[:3])}",
            "register them: self.register_buffer(name, tensor, persistent=False)",
        )
    images = pixels(2, 64, 64)
    out = subject.run(images)
    if not torch.cuda.is_available():
        return ok("no tensor stays behind when it moves; no CUDA device here to try it on")
    here, subject_device = out, subject.device
    try:
        subject.device = torch.device("cpu" if subject_device.type == "cuda" else "cuda")
        moved = difference(here, subject.run(images, thing=subject.ready(subject.thing)))
    finally:
        subject.device = subject_device
        subject.ready(subject.thing)
    if subject.kind == "attack" and moved.largest > 1:
        return warn(f"CPU and CUDA differ: {moved}", "work in float32, without TF32")
    return ok(f"on the CPU and on CUDA: {moved}")


def _targets(subject: Subject, count: int) -> Tensor | None:
    if subject.kind == "victim" or not subject.entry.spec.targeted:
        return None
    return (torch.arange(count) + 1) % len(subject.thing.classes)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
