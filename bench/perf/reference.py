"""The loop that the runner is measured against: how most repositories score attacks on victims.

One victim at a time, in fp32, contiguous, with nothing shared between victims and torch's defaults.
Each transform is made once and held in memory. It is frozen: were it made faster or slower, ratios
of different versions could not be compared (a test holds its digest).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.contract import Attack, Victim
from bench.metrics.distortion import measure


@dataclass(frozen=True, kw_only=True)
class ReferenceResult:
    """What the loop found.

    Attributes:
        predicted: (N,) labels by victim, in the order of images, then targets.
        distortions: By metric, of each image's targets.
    """

    predicted: Mapping[str, Tensor]
    distortions: Sequence[Mapping[str, Tensor]]


@torch.no_grad()
def reference_loop(
    attack: Attack,
    victims: Mapping[str, Victim],
    images: Tensor,
    labels: Sequence[int],
    classes: int,
    *,
    device: torch.device,
    batch: int,
) -> ReferenceResult:
    """Send every image to every class but its own and classify what comes out.

    Args:
        attack: As it was trained, contiguous, on its device.
        victims: Likewise, by name.
        images: (N, 3, H, W) uint8.
        labels: Class of each image.
        classes: How many there are.
        device: Where the networks are.
        batch: Images that a victim sees at a time.
    """
    transforms, distortions = [], []
    for image, label in zip(images, labels, strict=True):
        targets = torch.tensor([t for t in range(classes) if t != label], device=device)
        original = image.to(device).float().div(255).expand(len(targets), -1, -1, -1)
        changed = attack.transform(original.contiguous(), targets)
        eight_bit = changed.clamp(0, 1).mul(255).round()
        repeated = image.to(device).expand(len(targets), -1, -1, -1)
        distortions.append(measure(repeated, eight_bit.to(torch.uint8)))
        transforms.append(eight_bit.div(255).cpu())
    held = torch.cat(transforms)
    predicted = {}
    for name, victim in victims.items():
        found = [
            victim.logits(part.to(device)).argmax(1).cpu() for part in torch.split(held, batch)
        ]
        predicted[name] = torch.cat(found)
    return ReferenceResult(predicted=predicted, distortions=distortions)
