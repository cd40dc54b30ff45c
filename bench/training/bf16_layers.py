"""What bf16 training changes of a network while it lasts: exact grey levels in, small maps fast.

The first convolution stays in fp32: in bf16, images lose the last grey level, and with it what
cameras leave there. On a CPU, wide convolutions on maps of a few pixels are matrix products: a
ResNet ends at 2 x 2 pixels on a 64 x 64 patch, and oneDNN's convolutions are tuned for larger maps;
there, an unfolded input and one product of matrices take a quarter of the time for 512 channels
(batch 128, one core with AMX: 24 against 108 ms forward and backward). The sums are the same, in
another order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MOST_PIXELS = 4
FEWEST_WEIGHTS = 2**17
"""Input times output channels from which it pays; below, unfolding costs more than it gains."""


@contextmanager
def suited_to_bf16(network: nn.Module, device_type: str, *, enabled: bool) -> Iterator[None]:
    """Within, the layers of `network` run under autocast as above."""
    parts = network.modules() if enabled else ()
    layers = [part for part in parts if isinstance(part, nn.Conv2d)]
    forward = {layer: _as_product for layer in layers if device_type == "cpu" and _pays(layer)}
    forward.update(dict.fromkeys(layers[:1], _in_fp32))
    for layer, function in forward.items():
        layer.forward = partial(function, layer)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer in forward:
            del layer.forward


def _pays(part: nn.Conv2d) -> bool:
    return (
        type(part) is nn.Conv2d
        and part.kernel_size == (3, 3)
        and part.padding == (1, 1)
        and part.dilation == (1, 1)
        and part.groups == 1
        and part.padding_mode == "zeros"
        and part.bias is None
        and part.in_channels * part.out_channels >= FEWEST_WEIGHTS
    )


def _in_fp32(convolution: nn.Conv2d, maps: Tensor) -> Tensor:
    with torch.autocast(maps.device.type, enabled=False):
        return type(convolution).forward(convolution, maps.float())


def _as_product(convolution: nn.Conv2d, maps: Tensor) -> Tensor:
    step = (convolution.stride[0], convolution.stride[1])
    rows, columns = (maps.shape[2] - 1) // step[0] + 1, (maps.shape[3] - 1) // step[1] + 1
    if rows * columns > MOST_PIXELS:
        return nn.Conv2d.forward(convolution, maps)
    unfolded = F.unfold(maps, 3, padding=1, stride=step)  # N, I * 9, rows * columns
    return (convolution.weight.flatten(1) @ unfolded).reshape(len(maps), -1, rows, columns)
