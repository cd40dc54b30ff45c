"""How many anonymised images go through the networks at a time.

The size changes no result beyond rounding (see DESIGN.md), so it is a matter of speed and memory
alone: a number, or what suits the device, and in any case less once memory has run out.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

AUTO = 0
CPU_BATCH_PIXELS = 2**19
"""32 images of 128 x 128, 2 of 512 x 512: on processors larger batches gain nothing and their
activations leave the caches (`camobench perf` shows it)."""
LARGEST = 256
WORTH_IT = 1.05
"""A batch of twice the size must be this much faster an image to be taken."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch ran out of memory, on an accelerator or on the CPU."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)


def free_cached(device: torch.device) -> None:
    """Hand back what the device's allocator holds and nobody uses."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def batch_for(height: int, width: int) -> int:
    """The batch of the CPU for images of this size."""
    return max(1, min(LARGEST, CPU_BATCH_PIXELS // (height * width)))


def find_batch(
    run: Callable[[int], None], device: torch.device, most: int = LARGEST, start: int = 4
) -> int:
    """The smallest batch from which a larger one gains little, found by doubling.

    Args:
        run: Scores a batch of the given size and waits for the device.
        device: Freed between two sizes.
        most: Images there are to try it on.
        start: First size.
    """
    best, best_rate, size = start, 0.0, start
    while size <= min(most, LARGEST):
        seconds = None
        try:
            run(size)  # the first run of a size pays for its set-up
            began = time.perf_counter()
            run(size)
            seconds = time.perf_counter() - began
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        if seconds is None:  # outside of `except`, which keeps the tensors of the failed batch
            free_cached(device)
            break
        rate = size / seconds
        if rate < WORTH_IT * best_rate:
            break
        best, best_rate, size = size, rate, size * 2
    return best
