"""Ranks of attacks by mean TASR, with intervals and groups of attacks that are not told apart."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from bench.metrics.resampling import REPLICATES, percentile_interval
from bench.metrics.significance import ALPHA, holm, rank_intervals, sign_flip_test, tie_groups
from bench.records.metric import MetricSpec, headline
from bench.report.comparison.contenders import (
    Contender,
    contest,
    level_said,
    mean_families,
)
from bench.report.tables.notes import origin_notes
from bench.report.tables.table import Row, Table, between, make_table, number
from bench.types import SPLITS
from bench.wording import listed


def ranks_table(contenders: Sequence[Contender], *, equal: bool = False) -> Table:
    """Targeted attacks by mean TASR, in either split, on the images that all were scored on.

    Args:
        contenders: Of which the targeted ones are ranked.
        equal: At equal distortion; who does not reach the level in a split is not ranked there.

    Raises:
        ValueError: If fewer than two attacks are targeted, or no split can be ranked.
    """
    partial = [one for one in contenders if one.attack.partial]
    targeted = [one for one in contenders if one.attack.targeted and one not in partial]
    if len(targeted) < 2:
        known = listed([one.label for one in targeted]) or "none"
        raise ValueError(
            f"expected two targeted attacks or more to rank, there is {known}; the others have no "
            "TASR, or are partial"
        )
    families = mean_families(targeted)
    records = [
        record
        for split in SPLITS
        for record in rank_records(
            [one for one in targeted if not equal or one.reaches_level(split)],
            split,
            headline(),
            families,
            equal=equal,
        )
    ]
    if not records:
        raise ValueError(
            "these attacks share no two photographs that all were scored on, with the same "
            "targets and victims; score them on the same victims"
            + (", and at --strength 0.25,0.5,0.75" if equal else "")
        )
    where = f" at {level_said(targeted[0].run)}" if equal else ""
    left_out = [one.label for one in contenders if not one.attack.targeted]
    rate = f"{headline().title} (%)"
    return make_table(
        f"Attacks ranked by mean {headline().title}{where} on {targeted[0].run.suite}",
        ("Attack", "Split", "Rank", "95 %", "Tie group", rate, "95 %", "Images"),
        (Row(kind="claim", name=r["attack"], cells=_cells(r)) for r in records),
        _notes(targeted, left_out, partial),
        records,
    )


def rank_records(
    contenders: Sequence[Contender],
    split: str,
    metric: MetricSpec,
    families: dict[str, str],
    *,
    equal: bool = False,
) -> list[dict[str, Any]]:
    """Rank, interval and tie group of each attack by a mean rate, best first.

    Args:
        contenders: Attacks for which the rate is defined.
        split: One of `SPLITS`.
        metric: Which rate.
        families: Victim name to family; other victims are left out.
        equal: At equal distortion, where all of them reach the level.

    Returns:
        Nothing where the attacks share no two photographs.
    """
    labels = [one.label for one in contenders]
    both = contest(contenders, split, metric, families, equal=equal) if contenders else None
    found, drawn = both or (None, None)
    if found is None or drawn is None or not np.isfinite([found.means, *drawn]).all():
        return []
    means, pairs = found.means, list(combinations(range(len(labels)), 2))
    p_values = holm([sign_flip_test(found.pair(*two).effects).p for two in pairs])
    apart = {frozenset(two): float(p) for two, p in zip(pairs, p_values, strict=True)}
    groups, intervals = tie_groups(means, apart), rank_intervals(means, drawn)
    records = []
    for place, (label, (rank, rank_low, rank_high)) in enumerate(
        zip(labels, intervals, strict=True)
    ):
        low, high = percentile_interval(drawn[:, place])
        records.append(
            {
                "suite": contenders[0].run.suite,
                "split": split,
                "attack": label,
                "rank": rank,
                "rank_low": rank_low,
                "rank_high": rank_high,
                "tie_group": groups[place],
                f"{metric.name}_mean_percent": 100 * means[place],
                f"{metric.name}_mean_low_percent": 100 * low,
                f"{metric.name}_mean_high_percent": 100 * high,
                "images": found.images,
                "photographs": found.photographs,
            }
        )
    return sorted(records, key=lambda record: (record["rank"], record["attack"]))


def _cells(record: dict[str, Any]) -> tuple[str, ...]:
    name = headline().name
    return (
        record["split"],
        str(record["rank"]),
        f"{record['rank_low']}–{record['rank_high']}",
        str(record["tie_group"]),
        number(record[f"{name}_mean_percent"]),
        between(*(record[f"{name}_mean_{end}_percent"] for end in ("low", "high"))),
        str(record["images"]),
    )


def _notes(
    targeted: Sequence[Contender], left_out: Sequence[str], partial: Sequence[Contender]
) -> Iterable[str]:
    yield (
        f"Rank 1 is the highest mean TASR; its 95 % interval is over {REPLICATES} draws of whole "
        "source photographs, the same for all attacks; conditional on the trained networks."
    )
    yield (
        "Tie group: down the ranks, attacks whose difference to the group's first is not told from "
        f"zero (sign-flip test over photographs at {ALPHA:g}, Holm-corrected for all pairs of the "
        "split)."
    )
    yield "Only images, targets and victims that all of these attacks were scored on count."
    if left_out:
        yield f"Not ranked, because untargeted attacks have no TASR: {', '.join(left_out)}."
    for run in {id(one.run): one.run for one in targeted}.values():
        yield from origin_notes(run)

    for one in partial:
        yield f"Not ranked, because partial: {one.label} ({one.attack.partial})."
