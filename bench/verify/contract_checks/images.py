"""What becomes of images: any size, any batch, the same again, in range, and how fast."""

from __future__ import annotations

import copy
import time
from typing import Any

import torch
from torch import Tensor

from bench.checks import PATCH_PX, to_uint8, to_unit
from bench.contract import Victim
from bench.metrics.suspicions import suspect_images, suspect_logits
from bench.verify.contract_checks.subject import (
    SEED,
    Difference,
    Subject,
    advise,
    pixels,
    require,
    require_alike,
    skip,
)

SIZES = ((PATCH_PX, PATCH_PX), (65, 97), (98, 67), (128, 64))
ODD = (65, 97)
SMALLER = (48, 32, 16, 8)
MUCH_CLIPPED, MOSTLY_CLIPPED = 0.05, 0.5
HALF_LEVEL = 0.5 / 255
"""Less than this beyond [0, 1] is rounded to the same grey level anyway."""
NOISE = 0.05
SIDE_PX, BATCH, LEAST_S = 256, 4, 0.5
"""Of the measurement of speed."""


def check_range(subject: Subject) -> str:
    """Floating point in [0, 1]; what lies outside is clipped, and how much is said."""
    images = torch.cat([pixels(3, 64, 64), _plain_images()])
    out = subject.raw(to_unit(images).to(subject.device), subject.targets(len(images)))
    found = str(out.dtype) if isinstance(out, Tensor) else type(out).__name__
    require(
        isinstance(out, Tensor) and out.is_floating_point(),
        f"`transform` returns {found}",
        "return a float32 tensor in [0, 1]; it is rounded later",
    )
    require(
        out.shape == images.shape,
        f"{tuple(images.shape)} becomes {tuple(out.shape)}",
        "return the shape that was given",
    )
    bad = int((~torch.isfinite(out)).sum())
    dull = " on black, white or grey images" if torch.isfinite(out[:3]).all() else ""
    require(
        not bad,
        f"{bad} NaN or infinite values{dull}",
        "guard divisions and logarithms: a photograph may be of one colour",
    )
    advise(
        out.dtype == torch.float32,
        f"`transform` returns {out.dtype}",
        "return float32: less moves the last grey level",
    )
    out = out[:3]
    outside = float(((out < -HALF_LEVEL) | (out > 1 + HALF_LEVEL)).float().mean())
    told = f"float32 in [{float(out.min()):.3f}, {float(out.max()):.3f}]"
    told += f", {100 * outside:.2g} % of it clipped" if outside else ", none clipped"
    judge = require if outside > MOSTLY_CLIPPED else advise
    judge(
        outside <= MUCH_CLIPPED,
        told,
        "images are in [0, 1], not in [-1, 1] or in grey levels: rescale",
    )
    return told


def check_picture(subject: Subject) -> str:
    """The same picture, upright, in RGB, and no plain colour."""
    for height, width in ((128, 128), (96, 160)):
        images = pixels(4, height, width, seed=5)
        for one in suspect_images(images, subject.run(images)):
            if subject.thing.learns and one.kind in ("constant", "clipped"):
                advise(False, f"{one.finding}, after two steps of training", "train it, and look")
            require(False, one.finding, "return RGB in [0, 1], every pixel where it was")
    return "the picture is where it was, in RGB"


def check_logits(subject: Subject) -> str:
    """Finite (N, C) logits, also of images of one colour, and of different ones different."""
    out = subject.run(torch.cat([pixels(3, 64, 64), _plain_images()]))
    advise(out.dtype == torch.float32, f"logits are {out.dtype}", "return float32")
    require(
        (out != out[0]).any(),
        "every image gets the same logits",
        "use `images` in `logits`",
    )
    for one in suspect_logits(out):
        judge = advise if one.kind == "log-probabilities" else require
        judge(False, one.finding, "return what would enter the softmax")
    return f"float32, {out.shape[1]} finite columns"


def check_sizes(subject: Subject) -> str:
    """Photographs have any size."""
    for size in SIZES:
        shown = f"{size[0]} x {size[1]}"
        try:
            out = subject.run(pixels(2, *size))
        except Exception as error:
            said = f"{type(error).__name__}: {' '.join(str(error).split())}"
            remedy = "take any size from 64 x 64 on: pad inside and crop, or pool over the image"
            require(False, f"images of {shown}: {said}", remedy)
        same = subject.kind == "victim" or tuple(out.shape[-2:]) == size
        require(same, f"{shown} becomes {tuple(out.shape)}", "return the size given")
    smallest = PATCH_PX
    for side in SMALLER:
        try:
            subject.run(pixels(1, side, side))
        except Exception:
            break
        smallest = side
    sizes = ", ".join(f"{height} x {width}" for height, width in SIZES)
    return f"{sizes}; squares down to {smallest} px"


def check_repeatable(subject: Subject) -> str:
    """The same images give the same again, whatever ran in between."""
    images, thing = pixels(3, *ODD), _unused(subject)
    first = subject.run(images, thing=thing)
    for later, what in enumerate(("at once", "after other images")):
        if later:
            subject.run(pixels(2, 64, 96, seed=7), thing=thing)
        moved = Difference(first, subject.run(images, thing=thing))
        require(
            not moved.count,
            f"another result {what}: {moved}",
            "keep nothing from call to call, and draw random numbers from torch's, NumPy's or "
            "Python's own, which are seeded by image and target",
        )
    return "the same to the last bit, at once and after other images"


def check_batches(subject: Subject) -> str:
    """What comes with an image, now or before, tells nothing of it."""
    images, thing = pixels(3, *ODD, seed=11)[[0, 1, 0, 2, 1, 0]], _unused(subject)
    targets = None if subject.targets(1) is None else torch.tensor([0, 1, 1, 0, 2, 2])
    sent = [None] * 6 if targets is None else torch.split(targets, 1)
    each = list(zip(torch.split(images, 1), sent, strict=True))

    def alone(places: range) -> Tensor:
        return torch.cat([subject.run(*each[place], thing) for place in places])

    first = alone(range(6))
    remedy = "keep nothing from call to call, and let no image see another: no statistics over the "
    remedy += "batch (batch normalisation in training mode, means over all images)"
    together = subject.run(images, targets, thing)
    found = require_alike(first, together, "six at once or one by one", remedy)
    require_alike(first, alone(range(5, -1, -1)).flip(0), "one by one, again", remedy)
    return found


def check_inputs(subject: Subject) -> str:
    """What it is handed stays as it is."""
    unit, targets = to_unit(pixels(2, 64, 96)).to(subject.device), subject.targets(2)
    given = [one for one in (unit, targets) if one is not None]
    before = [one.clone() for one in given]
    subject.raw(unit, targets)
    names = zip(("images", "targets"), given, before, strict=False)
    changed = [name for name, now, then in names if not torch.equal(now, then)]
    require(
        not changed,
        f"changes its {' and '.join(changed)} in place",
        "work on a copy: images.clone(), or functions without a trailing underscore",
    )
    return "not changed in place"


def check_device(subject: Subject) -> str:
    """All of it moves to the device of the images."""
    stray = [
        f"{prefix}.{name}".lstrip(".")
        for prefix, part in subject.thing.named_modules()
        for name, value in vars(part).items()
        if isinstance(value, Tensor)
    ]
    require(
        not stray,
        f"plain tensors that stay behind when it moves: {', '.join(stray[:3])}",
        "register them: self.register_buffer(name, tensor, persistent=False)",
    )
    return f"no tensor stays behind when it moves; looked at on {subject.device}"


def check_target(subject: Subject) -> str:
    """A targeted attack uses its target; an untargeted one works without."""
    if not subject.entry.spec.targeted:
        return "untargeted, and works without targets"
    unit = to_unit(pixels(3, 64, 64)).to(subject.device)
    sent = [torch.tensor(to, device=subject.device) for to in ([0, 1, 2], [1, 2, 0])]

    def moves(thing: torch.nn.Module) -> bool:
        return not torch.equal(*(to_uint8(subject.raw(unit, to, thing)) for to in sent))

    if moves(subject.thing):
        return "another target, another image"
    require(
        moves(_shaken(subject.thing)),  # nothing is the identity by its initialisation
        "every target gives the same image",
        "use `targets` in `transform`, or say AttackSpec(targeted=False)",
    )
    return "uses its target as soon as its weights have moved; it starts out the same"


def check_parts(subject: Subject) -> str:
    """Front-end and backbone make the logits, where both are written."""
    victim = subject.thing
    if type(victim).logits is Victim.logits or victim.frontend_digest is None:
        skip("there is one way to its logits")
    unit = to_unit(pixels(2, 64, 64)).to(subject.device)
    with torch.no_grad():
        split, whole = victim.backbone(victim.frontend(unit)), victim.logits(unit)
    remedy = "write the split or `logits`, not both"
    return require_alike(split, whole, "backbone(frontend(images)) or logits(images)", remedy)


def check_gradient(subject: Subject) -> str:
    """Whether it could be a surrogate."""
    unit = to_unit(pixels(1, 64, 64)).to(subject.device).requires_grad_()
    try:
        subject.thing.logits(unit)[0, 0].backward()
    except RuntimeError:
        unit.grad = None
    if unit.grad is None or not torch.isfinite(unit.grad).all():
        skip("no finite gradient reaches the images: it cannot be a surrogate, which it need not")
    return "reaches the images: it can be a surrogate"


def check_speed(subject: Subject) -> str:
    """Images a second."""
    images = pixels(BATCH, SIDE_PX, SIDE_PX)
    subject.run(images)
    count, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < LEAST_S or not count:
        subject.run(images)
        count += 1
    return f"{BATCH * count / spent:.3g} images/s of {SIDE_PX} px on {subject.device}"


def _unused(subject: Subject) -> Any:
    """One that no other check has run, where it need not be trained."""
    return subject.thing if subject.thing.learns else subject.build()


def _plain_images() -> Tensor:
    """Black, white and grey."""
    levels = torch.tensor([0, 255, 128], dtype=torch.uint8)[:, None, None, None]
    return levels.expand(-1, 3, 64, 64).contiguous()


def _shaken(attack: torch.nn.Module) -> torch.nn.Module:
    """A copy with noise on every weight."""
    shaken, generator = copy.deepcopy(attack), torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for weight in shaken.parameters():
            weight.add_(NOISE * torch.randn(weight.shape, generator=generator).to(weight.device))
    return shaken
