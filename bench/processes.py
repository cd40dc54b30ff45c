"""Worker processes that end with their parent, however it ends."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import threading


def obey_parent() -> None:
    """Leave Ctrl-C to the parent, and end when the parent is gone; called in a new worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def cpu_count() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Parameters of glibc's `mallopt`."""


def keep_freed_memory() -> bool:
    """Keep freed memory in the process instead of handing every large block back to the kernel.

    glibc maps each block above 32 MB anew, and the page faults of fresh activations then cost a
    convolutional network on the CPU a quarter of its time. Only for processes that run networks:
    what they once used they keep.

    Returns:
        Whether the C library is glibc and took it.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
