"""A table as a pandas data frame: its unrounded numbers, printed as the table that people read."""

from __future__ import annotations

from typing import Any

import pandas as pd

from bench.report.render import html, render
from bench.report.values import Table


class TableFrame(pd.DataFrame):
    """One row a record, one number a column; what is derived from it is a plain data frame."""

    _metadata = ["table"]  # noqa: RUF012  # as pandas asks for
    table: Table

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

    def __repr__(self) -> str:
        return render(self.table, "md")

    def _repr_html_(self) -> str:
        return html(self.table)


def shown(table: Table, format: str | None) -> Any:
    """A frame of the table, or its text in a format.

    Raises:
        ValueError: If there is no such format.
    """
    if format is not None:
        return render(table, format)
    frame = TableFrame(list(table.records))
    frame.table = table
    return frame
