"""Success after a JPEG save, recomputed from the folders that scored it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.records.metric import MetricSpec, views
from bench.report.leaderboard.boards import Board
from bench.report.leaderboard.cells import number
from bench.report.leaderboard.site_charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    height_of,
    spread_labels,
)
from bench.report.leaderboard.submissions import Submission
from bench.report.survival import SurvivalFiles, SurvivalRow, survival_rows
from bench.types import SPLITS

COLOURS = 8


@dataclass(frozen=True, kw_only=True)
class Line:
    """One attack: its success in per cent as it left the images, then after each quality.

    Attributes:
        name: On the board.
        look: Which colour, or "control".
        points: Pixel, pixel and what it says.
        left: Share of the success that is left at each quality, per cent.
    """

    name: str
    look: str
    points: tuple[tuple[float, float, str], ...]
    label_y: float
    texts: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def path(self) -> str:
        """For a polyline."""
        return " ".join(f"{x:g},{y:g}" for x, y, _ in self.points)


@dataclass(frozen=True, kw_only=True)
class SurvivalChart:
    """One rate in one split, of one folder."""

    title: str
    folder: str
    split: str
    metric: MetricSpec
    lines: tuple[Line, ...]
    steps: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def build_survival(board: Board) -> tuple[tuple[SurvivalChart, ...], tuple[str, ...]]:
    """Charts of every folder that was scored after re-compression, and what cannot be shown."""
    charts: list[SurvivalChart] = []
    notes: list[str] = []
    for member in board.submissions:
        if not SurvivalFiles(member.run.directory).rows.is_file():
            continue
        try:
            rows = survival_rows(member.run)
        except ValueError as error:
            notes.append(f"Survival of {member.name} is left out: {error}.")
        else:
            charts += _charts(board, member, rows)
    return tuple(charts), tuple(notes)


def _charts(
    board: Board, member: Submission, rows: Sequence[SurvivalRow]
) -> Iterator[SurvivalChart]:
    labels = {
        source.entry.attack.name: label
        for label, sources in board.sources.items()
        for source in sources
        if source.directory == member.run.directory
    }
    attacks = [name for name, one in labels.items() if not _is_control(rows, name)]
    looks = {name: f"s{place % COLOURS}" for place, name in enumerate(sorted(attacks))}
    for split, metric in views():
        shown = [row for row in rows if (row.split, row.metric) == (split, metric)]
        shown = [row for row in shown if row.attack.name in labels]
        if not shown:
            continue
        qualities = sorted({quality for row in shown for quality in row.at}, reverse=True)
        step = (WIDTH - LEFT - RIGHT) / len(qualities)
        steps = [round(LEFT + step * place, 1) for place in range(1 + len(qualities))]
        ends = {labels[r.attack.name]: (steps[-1], height_of(100 * _last(r))) for r in shown}
        places = spread_labels(ends)
        yield SurvivalChart(
            title=f"{metric.title} {SPLITS[split]} after a JPEG save",
            folder=member.name,
            split=split,
            metric=metric,
            lines=tuple(
                _line(
                    row,
                    name=labels[row.attack.name],
                    look=looks.get(row.attack.name, "control"),
                    qualities=qualities,
                    steps=steps,
                    label_y=places[labels[row.attack.name]],
                )
                for row in sorted(shown, key=lambda row: (row.attack.control, -row.before.before))
            ),
            steps=tuple(zip(steps, ["PNG", *map(str, qualities)], strict=True)),
            y_ticks=tuple((round(height_of(tick), 1), str(tick)) for tick in range(0, 101, 20)),
        )


def _is_control(rows: Sequence[SurvivalRow], name: str) -> bool:
    return any(row.attack.control for row in rows if row.attack.name == name)


def _last(row: SurvivalRow) -> float:
    return row.at[min(row.at)].after


def _line(
    row: SurvivalRow,
    *,
    name: str,
    look: str,
    qualities: Sequence[int],
    steps: Sequence[float],
    label_y: float,
) -> Line:
    values = [row.before.before, *(row.at[q].after if q in row.at else None for q in qualities)]
    where = ["PNG", *(f"JPEG {quality}" for quality in qualities)]
    left = [row.at[q].left if q in row.at else None for q in qualities]
    return Line(
        name=name,
        look=look,
        points=tuple(
            (x, round(height_of(100 * value), 1), f"{name}, {at}: {100 * value:.1f} %")
            for x, value, at in zip(steps, values, where, strict=True)
            if value is not None
        ),
        label_y=round(label_y, 1),
        texts=tuple(number(None if value is None else 100 * value) for value in values),
        left=tuple("n/a" if share is None else f"{100 * share:.0f}" for share in left),
    )
