"""What a victim costs: parameters, and floating-point operations for one image.

Operations are those of convolutions and matrix products, a multiply-add being two; the rest
(normalisation, activations, pooling, wavelets) is not counted, as is usual. The front-end is
counted by itself, because victims with the same one share its computation.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.contract import Victim
from bench.contract.global_state import kept_global_state
from bench.jobs.outcome import is_failure

COUNT_VERSION = 2


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Size and cost of a victim.

    Attributes:
        parameters: Without those of a shared front-end.
        frontend_parameters: Those of a shared front-end.
        flops_per_image: `None` where the operations could not be followed.
        frontend_flops_per_image: 0 for a victim that reads the image itself.
    """

    parameters: int
    frontend_parameters: int
    flops_per_image: int | None
    frontend_flops_per_image: int | None


@torch.no_grad()
def count(victim: Victim, image: Tensor) -> Counts:
    """Count by running `victim` once.

    Args:
        victim: In evaluation mode, on the device of `image`.
        image: (1, 3, H, W) float32 in [0, 1]; cost depends on its size.
    """
    shared = tuple(victim.shared_prefixes)
    parameters = {True: 0, False: 0}
    for name, weight in victim.named_parameters():
        parameters[name.startswith(shared or "\0")] += weight.numel()
    flops = _flops(victim, image)
    return Counts(
        parameters=parameters[False],
        frontend_parameters=parameters[True],
        flops_per_image=None if flops is None else flops[1],
        frontend_flops_per_image=None if flops is None else flops[0],
    )


def _flops(victim: Victim, image: Tensor) -> tuple[int, int] | None:
    """Of the front-end, and of what follows: all of it for a victim that writes `logits` whole."""
    from torch.utils.flop_counter import FlopCounterMode  # slow to import, and rarely wanted

    split = type(victim).logits is Victim.logits
    first, rest = FlopCounterMode(display=False), FlopCounterMode(display=False)
    try:
        with kept_global_state():
            with first:
                features = victim.frontend(image) if split else image
            with rest:
                victim.backbone(features) if split else victim.logits(features)
    except BaseException as error:
        if not is_failure(error):
            raise
        return None  # a plug-in may do what the counter cannot follow; no result depends on it
    return int(first.get_total_flops()), int(rest.get_total_flops())
