"""What an attack or a victim returns, whether an attack uses its target, and how fast it is."""

from __future__ import annotations

import copy
import io
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.models import resnet18  # type: ignore[import-untyped]

from bench.checks import to_unit
from bench.contract import Attack, Victim
from bench.metrics.suspicions import suspect_images, suspect_logits
from bench.verdicts import Verdict
from bench.verify.contract_checks.subject import (
    CLASSES,
    SEED,
    Subject,
    difference,
    fail,
    ok,
    pixels,
    skip,
    warn,
)

MUCH_CLIPPED, MOSTLY_CLIPPED = 0.05, 0.5
HALF_LEVEL = 0.5 / 255
"""Less than this beyond [0, 1] is rounded to the same grey level anyway."""
NOISE = 0.05


def check_range(subject: Subject) -> Verdict:
    """Floating point in [0, 1]; what lies outside is clipped, and how much is said."""
    images = torch.cat([pixels(3, 64, 64), _plain_images()])
    targets = torch.arange(len(images)) % len(subject.thing.classes)
    given = (images.float() / 255).to(subject.device)
    with torch.no_grad():
        out = subject.thing.transform(
            given, targets.to(subject.device) if subject.entry.spec.targeted else None
        )
    if not isinstance(out, Tensor) or not out.is_floating_point():
        found = str(out.dtype) if isinstance(out, Tensor) else type(out).__name__
        return fail(
            f"`transform` returns {found}", "return a float32 tensor in [0, 1]; it is rounded later"
        )
    if out.shape != images.shape:
        return fail(
            f"{tuple(images.shape)} becomes {tuple(out.shape)}", "return the shape that was given"
        )
    bad = int((~torch.isfinite(out)).sum())
    if bad:
        dull = bool(torch.isfinite(out[:3]).all())
        return fail(
            f"{bad} NaN or infinite values" + (" on black, white or grey images" if dull else ""),
            "guard divisions and logarithms: a photograph may be of one colour",
        )
    if out.dtype != torch.float32:
        return warn(
            f"`transform` returns {out.dtype}", "return float32: less moves the last grey level"
        )
    out = out[:3]
    outside = float(((out < -HALF_LEVEL) | (out > 1 + HALF_LEVEL)).float().mean())
    found = f"float32 in [{float(out.min()):.3f}, {float(out.max()):.3f}]"
    share = f"{100 * outside:.0f}" if outside >= 0.1 else f"{100 * outside:.2g}"
    told = f"{found}, {share} % of it clipped" if outside else f"{found}, none clipped"
    if outside > MUCH_CLIPPED:
        judge = fail if outside > MOSTLY_CLIPPED else warn
        return judge(told, "images are in [0, 1], not in [-1, 1] or in grey levels: rescale")
    return ok(told)


def check_picture(subject: Subject) -> Verdict:
    """The same picture, upright, in RGB, and no plain colour."""
    for height, width in ((128, 128), (96, 160)):
        images = pixels(4, height, width, seed=5)
        for one in suspect_images(images, subject.run(images)):
            if subject.thing.learns and one.kind in ("constant", "clipped"):
                return warn(f"{one.finding}, after two steps of training", "train it, and look")
            return fail(one.finding, "return RGB in [0, 1], every pixel where it was")
    return ok("the picture is where it was, in RGB")


def check_target(subject: Subject) -> Verdict:
    """A targeted attack uses its target; an untargeted one works without."""
    attack, images = subject.thing, pixels(3, 64, 64)
    if not subject.entry.spec.targeted:
        subject.run(images, None)
        return ok("untargeted, and works without targets")
    one, other = torch.tensor([0, 1, 2]), torch.tensor([1, 2, 0])
    if difference(subject.run(images, one), subject.run(images, other)).count:
        return ok("another target, another image")
    shaken = _shaken(attack)
    if difference(
        subject.run(images, one, thing=shaken), subject.run(images, other, thing=shaken)
    ).count:
        return ok("uses its target as soon as its weights have moved; it starts out the same")
    return fail(
        "every target gives the same image",
        "use `targets` in `transform`, or say AttackSpec(targeted=False)",
    )


def check_logits(subject: Subject) -> Verdict:
    """Finite (N, C) logits, also of images of one colour, and of different ones different."""
    images = torch.cat([pixels(3, 64, 64), _plain_images()])
    out = subject.run(images)
    if out.dtype != torch.float32:
        return warn(f"logits are {out.dtype}", "return float32")
    if not difference(out[:1], out[1:2]).count:
        return fail("every image gets the same logits", "use `images` in `logits`")
    for one in suspect_logits(out):
        return fail(one.finding, "return what would enter the softmax")
    return ok(f"float32, {out.shape[1]} finite columns")


def check_parts(subject: Subject) -> Verdict:
    """Front-end and backbone make the logits, where both are written."""
    victim = subject.thing
    if type(victim).logits is not Victim.logits and victim.frontend_digest is None:
        return skip("writes `logits` whole: its front-end is private")
    unit = to_unit(pixels(2, 64, 64)).to(subject.device)
    with torch.no_grad():
        moved = difference(victim.backbone(victim.frontend(unit)), victim.logits(unit))
    if moved.matters:
        return fail(
            f"backbone(frontend(images)) is not logits(images): {moved}",
            "write the split or `logits`, not both",
        )
    return ok("backbone(frontend(images)) is logits(images)")


def check_gradient(subject: Subject) -> Verdict:
    """Whether it could be a surrogate."""
    unit = to_unit(pixels(1, 64, 64)).to(subject.device).requires_grad_()
    try:
        subject.thing.logits(unit)[0, 0].backward()
    except RuntimeError:
        return skip("no gradient reaches the images: it cannot be a surrogate, which it need not")
    if unit.grad is None or not torch.isfinite(unit.grad).all():
        return skip("no finite gradient reaches the images: it cannot be a surrogate")
    return ok("reaches the images: it can be a surrogate")


def _plain_images() -> Tensor:
    """Black, white and grey."""
    levels = torch.tensor([0, 255, 128], dtype=torch.uint8)[:, None, None, None]
    return levels.expand(-1, 3, 64, 64).contiguous()


def _shaken(attack: Attack) -> Attack:
    """A copy with noise on every weight, so that nothing is the identity by its initialisation."""
    shaken = copy.deepcopy(attack)
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for weight in shaken.parameters():
            noise = torch.randn(weight.shape, generator=generator)
            weight.add_(NOISE * noise.to(weight.device))
    return shaken


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
