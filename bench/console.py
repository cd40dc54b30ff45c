"""How long work and tables are shown to people: by rich, or plainly without a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from bench.types import SILENT, Json, Progress

PLAIN_EVERY_S = 15.0
_COLOURS = {
    **dict.fromkeys(("ok", "pass"), "green"),
    **dict.fromkeys(("warn", "partial"), "yellow"),
    **dict.fromkeys(("fail", "error"), "red"),
    **dict.fromkeys(("skip", "note"), "dim"),
}
"""Of a verdict or a gravity."""


class BarProgress:
    """One task of a shared set of bars, with its latest figures beside it."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def start(self, label: str, total: int, done: int = 0) -> None:
        """Show a new bar."""
        self._task = self._bars.add_task(label, total=total, completed=done, figures="")

    def advance(self, units: int = 1, **figures: float) -> None:
        """Move the bar."""
        if self._task is not None:
            text = " ".join(f"{name} {value:.3g}" for name, value in list(figures.items())[:4])
            self._bars.update(self._task, advance=units, figures=text)

    def finish(self) -> None:
        """Replace the bar by a line."""
        if self._task is not None:
            task = next(task for task in self._bars.tasks if task.id == self._task)
            self._bars.remove_task(self._task)
            self._bars.console.print(
                f"[green]✓[/] {task.description} [dim]{task.elapsed or 0:.0f} s[/]"
            )
            self._task = None

    def fork(self) -> BarProgress:
        """Another bar below this one."""
        return BarProgress(self._bars)


class PlainProgress:
    """A line every quarter of a minute and one at the end: for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._label, self._total, self._done, self._before = "", 0, 0, 0
        self._began = self._said = 0.0

    def start(self, label: str, total: int, done: int = 0) -> None:
        """Begin a task."""
        self._label, self._total, self._done, self._before = label, total, done, done
        self._began = self._said = time.monotonic()

    def advance(self, units: int = 1, **figures: float) -> None:
        """Count, and say so from time to time."""
        self._done += units
        now = time.monotonic()
        if now - self._said >= PLAIN_EVERY_S and self._before < self._done < self._total:
            self._said = now
            left = (now - self._began) * (self._total - self._done) / (self._done - self._before)
            text = " ".join(f"{name} {value:.3g}" for name, value in figures.items())
            self._say(
                f"  {self._label}: {self._done}/{self._total}, {left:.0f} s left {text}".rstrip()
            )

    def finish(self) -> None:
        """Say that it is done."""
        self._say(f"✓ {self._label} {time.monotonic() - self._began:.0f} s")

    def fork(self) -> PlainProgress:
        """Lines of another task."""
        return PlainProgress(self._console)

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, soft_wrap=True)


def fitted_table(rows: Sequence[Mapping[str, Json]]) -> Table:
    """Rows with the same keys as a table whose long cells are wrapped to the terminal's width."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        texts = ["" if value is None else str(value) for value in row.values()]
        table.add_row(*(Text(text, style=_COLOURS.get(text, "")) for text in texts))
    return table


@contextmanager
def shown_progress(console: Console, *, quiet: bool = False) -> Iterator[Progress]:
    """A progress fit for the terminal, the pipe, or silence."""
    if quiet:
        yield SILENT
    elif not console.is_terminal:
        yield PlainProgress(console)
    else:
        with Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[figures]}"),
            console=console,
            redirect_stdout=sys.stdout.isatty(),  # a pipe gets what is printed meanwhile
        ) as bars:
            yield BarProgress(bars)
