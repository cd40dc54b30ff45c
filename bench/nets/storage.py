"""Which weights may be stored in half precision.

Convolution kernels may. Constrained layers, last layers, biases and batch-norm statistics stay
fp32: rounding them breaks a sum-to-one constraint or moves the last grey level. A module keeps its
weights in fp32 by an attribute `store_fp32 = True`.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def compact_state(module: nn.Module) -> dict[str, Tensor]:
    """State of `module` with inner convolution kernels in fp16, everything else unchanged."""
    halves = {
        f"{prefix}.weight" if prefix else "weight"
        for prefix, part in module.named_modules()
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d)
        and not getattr(part, "store_fp32", False)
    }
    return {
        name: tensor.half() if name in halves else tensor
        for name, tensor in module.state_dict().items()
    }


def expand_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `compact_state` up to its rounding: every floating tensor as fp32."""
    return {
        name: tensor.float() if tensor.dtype == torch.float16 else tensor
        for name, tensor in state.items()
    }


def make_room(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Give tensors whose shape was learnt the shape and type of what is about to be loaded.

    Those of torch's own layers keep their shape: it is the network's architecture.
    """
    for prefix, part in module.named_modules():
        if type(part).__module__.startswith("torch."):
            continue
        for held in (part._buffers, part._parameters):
            for name, tensor in held.items():
                stored = state.get(f"{prefix}.{name}" if prefix else name)
                if stored is not None and (tensor is None or tensor.shape != stored.shape):
                    room = torch.empty_like(stored)
                    held[name] = room if held is part._buffers else nn.Parameter(room)


def round_as_stored(module: nn.Module) -> None:
    """Round the weights of `module` as a compact checkpoint will; rounding again changes nothing.

    What is measured on the module from here on is what a reader of the checkpoint will find.
    """
    module.load_state_dict(expand_state(compact_state(module)))
