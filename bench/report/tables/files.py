"""A run's tables as files in its own folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.records.run import RunData
from bench.report.tables.render import render
from bench.report.tables.table import Table
from bench.store import write_text


def table_texts(stem: str, table: Table) -> dict[str, str]:
    """`STEM.{md,csv,tex}` by file name."""
    return {f"{stem}.{suffix}": render(table, suffix) for suffix in ("md", "csv", "tex")}


def write_texts(run: RunData, texts: Mapping[str, str]) -> list[Path]:
    """Write texts by file name into the run's own folder, each of them whole or not at all."""
    return [write_text(run.directory / name, text) for name, text in texts.items()]


@dataclass(frozen=True, kw_only=True)
class RunTable:
    """A table that only some runs have, recomputed from their files.

    Attributes:
        stem: Of its files.
        is_there: Whether a run has what it takes.
        build: The table; raises `ValueError` where it has not.
        draw: The same as SVG text.
    """

    stem: str
    is_there: Callable[[RunData], bool]
    build: Callable[[RunData], Table]
    draw: Callable[[RunData], str] | None = None

    def texts(self, run: RunData) -> dict[str, str]:
        """Its texts by file name; none for a run without it."""
        return table_texts(self.stem, self.build(run)) if self.is_there(run) else {}

    def write(self, run: RunData) -> list[Path]:
        """Write them, and the picture, into the run's own folder; what it no longer gives goes."""
        texts = self.texts(run)
        if not texts:
            for suffix in ("md", "csv", "tex", "svg"):
                (run.directory / f"{self.stem}.{suffix}").unlink(missing_ok=True)
        if texts and self.draw:
            texts[f"{self.stem}.svg"] = self.draw(run)
        return write_texts(run, texts)
