"""Worker processes: how many, what each sets up, and that they end with their parent."""

from __future__ import annotations

import ctypes
import mmap
import multiprocessing
import os
import signal
import sys
import threading
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bench.types import CamobenchError, WrongUsageError

if TYPE_CHECKING:
    import torch

TaskT = TypeVar("TaskT")
MadeT = TypeVar("MadeT")
GIB = 2**30


def in_order(
    pool: Executor, work: Callable[[TaskT], MadeT], tasks: Iterable[TaskT], ahead: int
) -> Iterator[MadeT]:
    """What a pool makes of tasks, in their order, at most `ahead` in flight; ends the pool.

    Raises:
        CamobenchError: If one of its processes ends, as it does where there is too little memory.
    """
    pending: deque[Future[MadeT]] = deque()
    try:
        for task in tasks:
            pending.append(pool.submit(work, task))
            if len(pending) >= ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BrokenExecutor as error:
        raise CamobenchError(
            "a worker process died, for want of memory perhaps: the same command continues, and "
            "takes less with fewer --workers"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
PRELOADED = ("torch", "torchvision", "bench.jobs.run")
QUIET = 256
"""In place of the exit code 0, which pebble takes for a wanted end."""

_context: Any = multiprocessing.get_context(METHOD)


class _Process(_context.Process):  # type: ignore[misc]
    """A worker; it imports no `__main__`: a script needs no guard, a notebook has none."""

    @property
    def exitcode(self) -> int | None:
        code: int | None = super().exitcode
        return QUIET if code == 0 else code

    @staticmethod
    def _Popen(process: Any) -> Any:  # noqa: N802  # its name there
        main, sys.modules["__main__"] = sys.modules["__main__"], types.ModuleType("__main__")
        try:
            return _context.Process._Popen(process)
        finally:
            sys.modules["__main__"] = main


class _Context(type(_context)):  # type: ignore[misc]
    Process = _Process


def worker_context() -> Any:
    """Of `multiprocessing`, for any pool: the one way in which worker processes begin."""
    context = _Context()
    if METHOD == "forkserver":
        context.set_forkserver_preload(list(PRELOADED))
        before = os.environ.get("PYTHONSAFEPATH", "")
        os.environ["PYTHONSAFEPATH"] = "1"  # nothing from where it starts: a user's `bench`, say
        try:
            forkserver.ensure_running()
        finally:
            os.environ["PYTHONSAFEPATH"] = before  # empty, it says nothing
    return context


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
    """Cores that this process may use: by affinity, a container's quota, `LOKY_MAX_CPU_COUNT`.

    Raises:
        WrongUsageError: If that variable is no number.
    """
    import joblib  # takes half a second

    try:
        return int(joblib.cpu_count())
    except ValueError as error:
        raise WrongUsageError(f"LOKY_MAX_CPU_COUNT is no number of cores: {error}") from error


M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Parameters of glibc's `mallopt`."""


def keep_freed_memory() -> None:
    """Keep freed memory in the process instead of handing every large block back to the kernel.

    glibc maps each block above 32 MB anew, and the page faults of fresh activations then cost a
    convolutional network on the CPU a quarter of its time. Only for processes that run networks:
    what they once used they keep. Other C libraries are left as they are.
    """
    with suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


GPU_BYTES_A_WORKER = 8 * GIB
"""A guess that is ample for the paper's widest network at its batch of 128 and a suite's images."""
MOST_ON_A_GPU = 4


def default_workers(device: torch.device) -> int:
    """Networks trained side by side where nobody says how many.

    On the CPU one a core. On a GPU, which a small network leaves idle, up to four, as far as cores
    and free memory go: a guess, not a measurement. Elsewhere one.
    """
    import torch

    if device.type == "cpu":
        return cpu_count()
    if device.type != "cuda":
        return 1
    free, _ = torch.cuda.mem_get_info(device)
    return max(1, min(MOST_ON_A_GPU, cpu_count(), free // GPU_BYTES_A_WORKER))


def start_training_process(workers: int) -> None:
    """Set up a new process that trains one of `workers` networks: called once, in it."""
    import torch

    obey_parent()
    # torch's own number heeds OMP_NUM_THREADS: whoever sets that shares the cores with others, and
    # threads that wait for one another there take several times as long as one alone.
    torch.set_num_threads(max(1, min(torch.get_num_threads(), cpu_count() // workers)))
    keep_freed_memory()


def memory_gib(device: torch.device) -> float:
    """What this process holds now: on an accelerator there, else in main memory."""
    import torch

    if device.type == "cuda":
        return torch.cuda.memory_allocated(device) / GIB
    if sys.platform != "linux":
        return peak_memory_gib(device)  # no less than what it holds
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * mmap.PAGESIZE / GIB


def peak_memory_gib(device: torch.device) -> float:
    """The most that this process has held so far, in the same place; NaN where none can tell."""
    import torch

    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / GIB
    try:
        import resource
    except ImportError:  # on Windows
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / GIB
