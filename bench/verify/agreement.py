"""Measures what reduced precision does to a run: every row again, in fp32 and in mixed precision.

Each image is anonymised once and seen by both versions of every victim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from bench.contract import Victim
from bench.jobs.scoring.batches import AUTO
from bench.jobs.scoring.items import ImageSource, mixed, source_of
from bench.jobs.scoring.precision import Precision
from bench.jobs.scoring.rows import row_shards
from bench.jobs.scoring.scorer import Scorer
from bench.metrics.agreement import (
    LEAST_AGREEMENT,
    Agreement,
    compare_scorings,
    flipped_rows,
)
from bench.store import Store
from bench.suites.base import Suite
from bench.types import Progress, Silent
from bench.verdicts import Verdict
from bench.verify.reopen import ImagesMissingError, reopen, sent_rows_known
from bench.wording import listed

EXACT, REDUCED = Precision(name="fp32"), Precision(name="mixed")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Two scorings of the same images.

    Attributes:
        exact: Prediction rows in fp32.
        reduced: The same rows in mixed precision.
    """

    exact: pd.DataFrame
    reduced: pd.DataFrame

    @property
    def by_victim(self) -> list[Agreement]:
        """How far they agree."""
        return compare_scorings(self.exact, self.reduced)

    @property
    def share(self) -> float:
        """Fraction of all rows with the same predicted label."""
        return 1 - len(flipped_rows(self.exact, self.reduced)) / len(self.exact)


def score_twice(
    suite: Suite,
    sources: Mapping[str, ImageSource],
    exact: Mapping[str, Victim],
    reduced: Mapping[str, Victim],
    indices: Sequence[int],
    device: torch.device,
    progress: Progress,
) -> Measured:
    """Score attacks on both versions of each victim.

    Args:
        suite: Has Set-C.
        sources: Of anonymised images, by attack.
        exact: Victims in fp32, by name.
        reduced: The same in mixed precision.
        indices: Positions in Set-C.
        device: Where the victims are.
        progress: Advanced by images of Set-C and attack.
    """
    scorer = Scorer(suite, device, AUTO)
    both = {f"exact {name}": victim for name, victim in exact.items()}
    both |= {f"reduced {name}": victim for name, victim in reduced.items()}
    frames: dict[str, list[pd.DataFrame]] = {"exact": [], "reduced": []}
    progress.start("scoring in both precisions", len(indices) * len(sources))
    for attack, source in sources.items():
        for part in row_shards(mixed(scorer.manifest, indices)):
            for name, rows in scorer.score(source, both, part).predictions.items():
                frames[name.partition(" ")[0]].append(rows.assign(attack=attack))
            progress.advance(len(part))
    progress.finish()
    tables = {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()}
    return Measured(exact=tables["exact"], reduced=tables["reduced"])


def precision_verdicts(
    folder: Path,
    store: Store,
    *,
    device: str = "cpu",
    shipped: bool = True,
    progress: Progress | None = None,
) -> tuple[list[Verdict], pd.DataFrame]:
    """Score a run's images in fp32 and in mixed precision and compare.

    Returns:
        One verdict a victim, and the rows that flipped.
    """
    with sent_rows_known(folder, store):
        where = torch.device(device)
        return _verdicts(folder, store, where, shipped=shipped, progress=progress or Silent())


def _verdicts(
    folder: Path, store: Store, where: torch.device, *, shipped: bool, progress: Progress
) -> tuple[list[Verdict], pd.DataFrame]:
    try:
        opened, other = (
            reopen(folder, store, where, shipped=shipped, progress=progress, precision=precision)
            for precision in (EXACT, REDUCED)
        )
    except ImagesMissingError as error:
        missing = f"images are not at hand: {error}"
        return [Verdict(check="precision", verdict="skip", finding=missing)], pd.DataFrame()
    if not opened.attacks or not opened.victims:
        none = "the store and the package lack the networks that the entries name"
        skipped = Verdict(check="precision", verdict="skip", finding=none)
        return [*opened.verdicts, skipped], pd.DataFrame()
    measured = score_twice(
        opened.suite,
        {name: source_of(networks.attack(name)) for name, networks in opened.attacks.items()},
        {name: networks.victim(name) for name, networks in opened.victims.items()},
        {name: networks.victim(name) for name, networks in other.victims.items()},
        range(len(opened.suite.manifest("C"))),
        where,
        progress,
    )
    verdicts = [_verdict(found) for found in measured.by_victim]
    verdicts.append(_whole(measured))
    return [*opened.verdicts, *verdicts], flipped_rows(measured.exact, measured.reduced)


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
        remedy="" if found.agrees else f"score with --precision mixed --keep-fp32 {found.victim}",
    )


def _whole(measured: Measured) -> Verdict:
    outside = [found.victim for found in measured.by_victim if not found.agrees]
    finding = f"{100 * measured.share:.3f} % of {len(measured.exact)} rows agree with fp32"
    remedy = ""
    if outside:
        finding += f"; {listed(outside)} must stay in fp32"
        remedy = f"score with --precision mixed --keep-fp32 {','.join(outside)}"
    enough = measured.share >= LEAST_AGREEMENT and not outside
    return Verdict(
        check="mixed precision", verdict="ok" if enough else "fail", finding=finding, remedy=remedy
    )
