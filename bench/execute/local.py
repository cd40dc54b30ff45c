"""Jobs in worker processes of this machine: one that ends, hangs or is killed costs its job alone.

The processes are those of `pebble.ProcessPool`, which alone of the pools that we looked at tells
which job a dead process was at, and with which exit code, kills the process of a job that exceeds
its time although it hangs in C, and goes on with the others: `loky` and `concurrent.futures` fail
every job that waits, and neither ends one that hangs; Ray's local mode takes ten seconds to start.
Two things are made up for here: pebble waits for ever for a process that leaves by `os._exit(0)`,
and three seconds for one that is in C before it kills it.
"""

from __future__ import annotations

import faulthandler
import itertools
import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as OverdueError
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool

from bench.execute.base import Executor, Outcome, Running
from bench.jobs.job import Job, Site
from bench.jobs.outcome import Done, Failed, gpu_error, is_failure
from bench.jobs.run import run
from bench.jobs.travel import pack, unpack
from bench.jobs.workplace import Workplace
from bench.processes import QUIET, start_training_process, worker_context
from bench.sources.opened import see_too, seen
from bench.store import digest
from bench.types import SILENT, Progress
from bench.wording import in_seconds

NO_GPU = 97
"""Exit code of a worker whose jobs would all fail from here on, for CUDA's sake."""
LAST_WORDS_S = 1.0
"""How long before its limit a job's stack is written down."""

WHOLE_BYTES = 512
"""What POSIX promises to write into a pipe in one piece, whoever else writes, or is killed."""
_numbers = itertools.count()


class Local(Executor):
    """Long-lived worker processes that keep their networks open and share out the cores."""

    def _open(self, count: int, place: Workplace, progress: Progress) -> None:
        self.width = max(1, min(self.workers, count))
        luggage, self._stack = pack(place.site.keys), ExitStack()
        self._pool: ProcessPool | None = None
        notes = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        line = self._stack.enter_context(relayed(progress))
        self._given = _Given(place.site, self.width, luggage, line, notes)

    def _start(self, job: Job, limit_s: float | None) -> Running:
        if self._pool is None or not self._pool.active:
            self._end_pool()
            self._pool = ProcessPool(
                self.width, initializer=_begin, initargs=[self._given], context=worker_context()
            )
        running: Running = self._pool.schedule(_work, (job, limit_s), timeout=limit_s)
        return running

    def _outcome(self, job: Job, future: Running) -> Outcome:
        try:
            outcome = future.result()
        except OverdueError as error:
            reason = f"took longer than {in_seconds(float(error.args[1]))} and was ended"
        except ProcessExpired as error:
            reason = _how_it_ended(error.exitcode or 0)
        except (BrokenProcessPool, CancelledError) as error:
            reason = f"its worker process could not go on: {error}"
        else:
            if isinstance(outcome, Done) and outcome.seen is not None:
                see_too(outcome.seen)
            return outcome
        notes = self._given.notes_of(job)
        words = notes.read_text(errors="replace") if notes.is_file() else ""
        if reason == _how_it_ended(NO_GPU):
            reason += ": " + words.partition("\n")[0]
        return Failed(reason=reason, text=f"{reason}\n\n{words}", lost=True)

    def _close(self) -> None:
        self._end_pool()
        self._stack.close()

    def _end_pool(self) -> None:
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()


@dataclass(frozen=True)
class _Given:
    """What a worker is started with."""

    site: Site
    width: int
    luggage: bytes | None
    line: Connection
    notes: Path

    def notes_of(self, job: Job) -> Path:
        """Where a job's stack is written when its process dies, or shortly before its limit."""
        return self.notes / f"{digest(job.key)[:16]}.txt"


_given: _Given
_place: Workplace | None = None
_progress: Progress = SILENT


def _begin(given: _Given) -> None:
    """Make ready a new worker."""
    global _given
    _given = given
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # also while it is in C
    start_training_process(given.width)


def _work(job: Job, limit_s: float | None) -> Outcome:
    """Do a job in a worker; the first loads the plug-ins, and fails where they do."""
    global _place, _progress
    with _given.notes_of(job).open("w") as notes:
        faulthandler.enable(notes)
        if limit_s is not None:
            faulthandler.dump_traceback_later(max(limit_s - LAST_WORDS_S, limit_s / 2), file=notes)
        try:
            if _place is None:
                unpack(_given.luggage)
                _progress = RelayedProgress(_given.line)
                _place = Workplace(_given.site)
            outcome = run(job, _place, _progress)
            if spoilt := gpu_error(outcome):
                notes.write(f"{spoilt.reason}\n\n{spoilt.text}")
                notes.flush()
                os._exit(NO_GPU)
        except BaseException as error:
            if not is_failure(error):
                raise
            return Failed.of(error)
        finally:
            faulthandler.cancel_dump_traceback_later()
            faulthandler.disable()
    if isinstance(outcome, Done) and _given.luggage is not None:
        return replace(outcome, seen=seen())
    return outcome


def _how_it_ended(code: int) -> str:
    """How a process ended by itself, from its exit code, negative for a signal."""
    if code == NO_GPU:
        return "left its process no usable GPU"
    if code >= 0:
        return f"ended the process (exit code {0 if code == QUIET else code})"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else "unknown"
    likely = ": most likely out of memory" if -code == signal.SIGKILL else ""
    return f"ended the process (signal {-code}, {name}{likely})"


class RelayedProgress:
    """The worker's end of what `relayed` yielded. Tasks are numbered: two may share a label."""

    def __init__(self, line: Connection) -> None:
        self._line, self._task = line, (os.getpid(), -1)

    def start(self, label: str, total: int, done: int = 0) -> None:
        """Begin a task."""
        self._task = os.getpid(), next(_numbers)
        self._say("start", label[:100], total, done)

    def advance(self, units: int = 1, **figures: float) -> None:
        """Report units done."""
        self._say("advance", units, **{name: float(value) for name, value in figures.items()})

    def finish(self) -> None:
        """End the task."""
        self._say("finish")

    def fork(self) -> RelayedProgress:
        """Another task on the same line."""
        return RelayedProgress(self._line)

    def _say(self, what: str, *arguments: Any, **figures: float) -> None:
        said = pickle.dumps((self._task, what, arguments, figures))
        if len(said) < WHOLE_BYTES - 4:  # its length goes before it
            with suppress(OSError):  # whoever listened has ended
                self._line.send_bytes(said)


@contextmanager
def relayed(progress: Progress) -> Iterator[Connection]:
    """Show what workers say into the yielded pipe, through forks of `progress`."""
    heard, line = multiprocessing.Pipe(duplex=False)
    thread = threading.Thread(target=_show, args=(heard, progress), daemon=True)
    thread.start()
    with line:
        try:
            yield line
        finally:
            with suppress(OSError):
                line.send(None)
            thread.join()


def _show(heard: Connection, progress: Progress) -> None:
    tasks: dict[tuple[int, int], Progress] = {}
    with heard:  # closed, whatever happens: no worker waits for a reader
        while (said := heard.recv()) is not None:
            task, what, arguments, figures = said
            if task not in tasks:
                tasks[task] = progress.fork()
            getattr(tasks[task], what)(*arguments, **figures)
            if what == "finish":
                del tasks[task]
