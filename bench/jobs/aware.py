"""Set-A with treated versions of its images: what an aware defender is trained on.

Each image of Set-A is there as it is, and those to learn from with noise too, and as each attack
that the victim's spec names made them, sent to one other camera; a label is always the camera that
took the image. Validation images stay untouched, as those of every victim. The attacks are
the benchmark's own, trained on Set-B: a defender who has got hold of what anonymises.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bench.checks import to_uint8, to_unit
from bench.contract import Attack
from bench.data import ExaminerSet
from bench.jobs.scoring.items import BATCH
from bench.recipes import AWARE_VERSION
from bench.store import digest
from bench.suites.set_files import kept_array

NOISE_LEVELS = 2.0
"""Standard deviation of the noise, in grey levels."""


@torch.no_grad()
def aware_set(
    data: ExaminerSet, attacks: Mapping[str, Attack], folder: Path, device: torch.device
) -> ExaminerSet:
    """Set-A, then noisy versions of what is learnt from, then those of each attack.

    Args:
        data: Set-A.
        attacks: Trained, by the digests of what is behind their images.
        folder: Of Set-A in a store; the treated set is kept beside it, for all who ask for it.
        device: Where attacks run.

    Raises:
        ValueError: If an attack returns what is no image.
    """
    named = digest([AWARE_VERSION, device.type, *attacks])
    beside = folder.with_name(f"{folder.name}-{named[:16]}")
    count, learnt, parts = len(data.images), np.flatnonzero(~data.validation), 1 + len(attacks)
    generator = torch.Generator().manual_seed(int(named[:12], 16))

    def fill(images: NDArray[np.uint8]) -> None:
        images[:count] = data.images
        for turn, attack in enumerate((None, *attacks.values())):
            version = images[count + turn * len(learnt) :][: len(learnt)]
            for start in range(0, len(learnt), BATCH):
                chosen = learnt[start : start + BATCH]
                batch = torch.from_numpy(np.array(data.images[chosen]))
                away = torch.randint(1, len(data.classes), (len(batch),), generator=generator)
                targets = (torch.from_numpy(data.labels[chosen]) + away) % len(data.classes)
                if attack is None:
                    noise = torch.randn(batch.shape, generator=generator) * NOISE_LEVELS / 255
                    treated = to_uint8(to_unit(batch) + noise)
                else:
                    treated = attack(batch.to(device), targets.to(device))
                version[start : start + BATCH] = treated.cpu().numpy()

    labels = np.concatenate([data.labels, np.tile(data.labels[learnt], parts)])
    shape = len(labels), *data.images.shape[1:]
    images = kept_array(beside, "images", shape, fill, np.uint8)
    return ExaminerSet(
        images=images,
        labels=labels,
        classes=data.classes,
        validation=np.concatenate([data.validation, np.zeros(parts * len(learnt), bool)]),
        keep=partial(kept_array, beside),
    )
