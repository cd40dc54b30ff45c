"""Measures what reduced precision does to a run: every row again, in fp32 and in mixed precision.

Each image is anonymised once and seen by both versions of every victim.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import torch

from bench.contract import Victim
from bench.jobs.networks import Networks
from bench.jobs.scoring.items import AUTO, source_of
from bench.jobs.scoring.precision import PRECISIONS, Precision
from bench.jobs.scoring.rows import row_shards
from bench.jobs.scoring.scorer import Scorer
from bench.metrics.agreement import LEAST_AGREEMENT, Agreement, compare_scorings
from bench.plan.again import NotAtHandError
from bench.store import Store
from bench.types import SILENT, Progress
from bench.verdicts import Verdict
from bench.verify.reopen import Reopened, reopened
from bench.wording import listed


def precision_verdicts(
    folder: Path, store: Store, *, device: str = "cpu", progress: Progress = SILENT
) -> tuple[list[Verdict], pd.DataFrame]:
    """Score a run's images in fp32 and in mixed precision and compare.

    Returns:
        One verdict a victim, and the rows that flipped.
    """
    where = torch.device(device)
    try:
        with reopened(folder, store, where, progress) as opened:
            if not opened.attacks or not opened.victims:
                none = "the store and the package lack the networks that the entries name"
                return [*opened.verdicts, Verdict("precision", "skip", none)], pd.DataFrame()
            exact, reduced = _score_twice(opened, where, progress)
    except NotAtHandError as error:
        skipped = Verdict("precision", "skip", f"not at hand: {error}")
        return [skipped], pd.DataFrame()
    by_victim, flipped = compare_scorings(exact, reduced)
    share = 1 - len(flipped) / len(exact)
    finding = f"{100 * share:.3f} % of {len(exact)} rows agree with fp32"
    outside = [found.victim for found in by_victim if not found.agrees]
    if outside:
        finding += f"; {listed(outside)} must stay in fp32"
    enough = share >= LEAST_AGREEMENT and not outside
    whole = Verdict("mixed precision", "ok" if enough else "fail", finding, _remedy(outside))
    return [*opened.verdicts, *map(_verdict, by_victim), whole], flipped


def _score_twice(
    opened: Reopened, device: torch.device, progress: Progress
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Prediction rows of all attacks on both versions of each victim: in fp32, and in mixed."""
    scorer = Scorer(opened.suite, device, AUTO)
    victims: dict[str, Victim] = {}
    for version, name in enumerate(PRECISIONS):
        known, precision = opened.networks, Precision(name=name)
        networks = Networks(known.graph, known.shelf, device, precision=precision)
        victims |= {f"{version} {victim}": networks.victim(victim) for victim in opened.victims}
    frames: tuple[list[pd.DataFrame], list[pd.DataFrame]] = [], []
    progress.start("scoring in both precisions", len(scorer.order) * len(opened.attacks))
    for attack in opened.attacks:
        source = source_of(opened.networks.attack(attack))
        for part in row_shards(scorer.order):
            for name, rows in scorer.score(source, victims, part).predictions.items():
                frames[int(name[0])].append(rows.assign(attack=attack))
            progress.advance(len(part))
    progress.finish()
    one, other = (pd.concat(parts, ignore_index=True) for parts in frames)
    return one, other


def _verdict(found: Agreement) -> Verdict:
    finding = (
        f"{found.flipped} of {found.rows} rows flipped, {100 * found.share:.2f} % agree; "
        f"{found.moved} of {found.cells} rates moved by more than is tolerated, at most "
        f"{100 * found.largest:.2f} points"
    )
    return Verdict(
        check=f"{found.victim} in bf16",
        verdict="ok" if found.agrees else "fail",
        finding=f"{finding} ({found.largest_in})" if found.largest else finding,
        remedy=_remedy([] if found.agrees else [found.victim]),
    )


def _remedy(outside: list[str]) -> str:
    return f"score with --precision mixed --keep-fp32 {','.join(outside)}" if outside else ""
