"""Several networks trained side by side: how many by default, and what each process sets up.

One process a network. The victims differ in depth, connections and front-end, so that they do not
stack into one batched network (`torch.func` would need equal shapes and no running statistics), and
small networks leave a GPU idle because Python launches their kernels too slowly: CUDA streams of
one process would share that one interpreter, processes do not.
"""

from __future__ import annotations

import torch

from bench.processes import cpu_count, keep_freed_memory, obey_parent

GPU_BYTES_A_WORKER = 8 * 2**30
"""A guess that is ample for the paper's widest network at its batch of 128 and a suite's images."""
MOST_ON_A_GPU = 4


def default_workers(device: torch.device) -> int:
    """Networks trained side by side where nobody says how many.

    On the CPU one a core. On a GPU up to four, as far as cores and free memory go: a guess, not a
    measurement; `camobench perf` measures what it brings. Elsewhere one.
    """
    if device.type == "cpu":
        return cpu_count()
    if device.type != "cuda":
        return 1
    free, _ = torch.cuda.mem_get_info(device)
    return max(1, min(MOST_ON_A_GPU, cpu_count(), free // GPU_BYTES_A_WORKER))


def start_training_process(workers: int) -> None:
    """Set up a new process that trains one of `workers` networks: called once, in it."""
    obey_parent()
    torch.set_num_threads(max(1, cpu_count() // workers))
    keep_freed_memory()
