"""What the card of an attack shows."""

from typing import Any, Literal

from bench.metrics.success import confusion
from bench.report.leaderboard.board_page import figure3
from bench.report.leaderboard.charts import Bar, histogram
from bench.report.leaderboard.context import Context
from bench.report.leaderboard.heat import cell_text
from bench.report.leaderboard.standing import VIEWS, Standing
from bench.report.records import AttackInfo
from bench.report.samples import most_complete
from bench.types import SPLITS

MOST_SAMPLES = 6


def attack_page(context: Context, attack: AttackInfo) -> dict[str, Any]:
    """Values for `attack.html.j2`."""
    board = context.board
    by_split = {split: context.standing(attack.name, split) for split in context.splits}
    sources = board.sources[attack.name]
    pictured = attack.name == most_complete(board.run.attacks)
    return {
        "attack": attack,
        "entry": sources[0].entry,
        "sources": [(source, context.source_links(source)) for source in sources],
        "by_split": by_split,
        "victims": [(v, _cells(by_split, v.name)) for v in board.run.victims],
        "confusions": _confusions(context, attack),
        "shares": [
            (one, texts)
            for one in context.shares
            for name, texts in one.rows
            if name == attack.name
        ],
        "survival": [
            (chart, line)
            for chart in context.survival
            for line in chart.lines
            if line.name == attack.name
        ],
        "histograms": {split: _histogram(context, attack.name, split) for split in context.splits},
        "pictures": context.pictures(figure3(attack.name)) if pictured else [],
        "samples": _samples(context, attack.name),
    }


def _cells(by_split: dict[str, Standing], victim: str) -> dict[str, str]:
    return {
        f"{measure}-{split}": cell_text(by_split[split].cells[measure][victim])
        for measure, split in VIEWS
        if split in by_split
    }


def _confusions(context: Context, attack: AttackInfo) -> list[dict[str, Any]]:
    labels: tuple[Literal["target", "source"], ...] = ("target", "source")
    rows, classes = context.board.panel_run.predictions, context.board.run.classes
    found = []
    for split in context.splits:
        for label in labels:
            table = confusion(rows, split, attack.name, label, classes)
            if table.empty:
                continue
            found.append(
                {
                    "title": f"What victims say by {label} camera, {SPLITS[split]}",
                    "heading": f"{label} camera",
                    "columns": [str(name) for name in table.columns],
                    "rows": [
                        (str(name), [f"{100 * float(share):.1f}" for share in shares])
                        for name, shares in zip(table.index, table.to_numpy(), strict=True)
                    ],
                }
            )
    return found


def _histogram(context: Context, attack: str, split: str) -> tuple[Bar, ...]:
    rows = context.board.run.distortion
    mine = rows[(rows["attack"] == attack) & (rows["split"] == split)]
    return histogram(mine["psnr_db"].to_numpy("float64").tolist(), "dB")


def _samples(context: Context, attack: str) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Source, original, and target with image, of the samples that the base folder kept."""
    base = context.board.submissions[0]
    mine = [sample for sample in base.run.samples if sample.attack == attack]
    return [
        (
            sample.source,
            context.files.link(context.board, base.name, sample.original),
            [
                (target, context.files.link(context.board, base.name, path))
                for target, path in sorted(sample.anonymised.items())
            ],
        )
        for sample in mine[:MOST_SAMPLES]
    ]
