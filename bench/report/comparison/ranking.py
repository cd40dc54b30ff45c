"""Ranks of attacks by mean TASR, with intervals and groups of attacks that are not told apart."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from bench.metrics.resampling import REPLICATES, percent
from bench.metrics.significance import ALPHA, holm, rank_intervals, sign_flip_test, tie_groups
from bench.records.metric import MetricSpec, headline
from bench.report.comparison.contenders import (
    Contender,
    beyond_level,
    contest,
    level_said,
    nothing_shared,
)
from bench.report.statistics import averaged
from bench.report.tables.notes import AT_HAND, origin_notes
from bench.report.tables.table import Shown, Table, between, ends_record, number, table_of
from bench.types import SPLITS
from bench.wording import listed, plural

TOLD_APART = (
    f"Two attacks are told apart by a sign-flip test over scenes at {ALPHA:g}, Holm-corrected "
    "for all pairs by that rate in the split. 95 % of a rank: behind all that are told to be "
    "better, ahead of all that are told to be worse, for all attacks together. Tie group: down the "
    "ranks, whoever is told from a group's first begins the next; later ones there may not be."
)


def ranks_table(contenders: Sequence[Contender], *, equal: bool = False) -> Table:
    """Targeted attacks by mean TASR, in either split, on the images that all were scored on.

    Args:
        contenders: Of which the targeted ones are ranked.
        equal: At equal distortion; who does not reach the level in a split is not ranked there.

    Raises:
        ValueError: If fewer than two attacks are targeted, or no split can be ranked.
    """
    targeted = [one for one in contenders if one.attack.targeted and not one.attack.partial]
    if len(targeted) < 2:
        known = listed([one.name for one in targeted]) or "none"
        raise ValueError(
            f"expected two targeted attacks or more to rank, there is {known}; the others have no "
            "TASR, or are partial"
        )
    families = averaged(targeted[0].run.victims)
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
    suite, rate = targeted[0].run.suite, headline()
    if not records:
        if targeted[0].run.predictions.groupby("split")["scene"].nunique().max() < 2:
            raise ValueError(f"Set-C of {suite} shows one scene; ranks need two or more")
        raise ValueError(nothing_shared(targeted, "two scenes, targets and victims", equal=equal))
    mean = f"{rate.name}_mean"
    columns: Shown[dict[str, Any]] = (
        ("Attack", lambda r: r["attack"]),
        ("Split", lambda r: r["split"]),
        ("Rank", lambda r: str(r["rank"])),
        ("95 %", lambda r: f"{r['rank_low']}–{r['rank_high']}"),
        ("Tie group", lambda r: str(r["tie_group"])),
        (f"{rate.title} (%)", lambda r: number(r[f"{mean}_percent"])),
        ("95 %", lambda r: between(r[f"{mean}_low_percent"], r[f"{mean}_high_percent"])),
        ("Images", lambda r: str(r["images"])),
    )
    where = f" at {level_said(targeted[0].run)}" if equal else ""
    title = f"Attacks ranked by mean {rate.title}{where} on {suite}"
    few, most = (which(record["victims"] for record in records) for which in (min, max))
    over = f"{few if few == most else f'{few} to {most}'} of {plural(len(families), 'victim')}"
    notes = [*_notes(contenders, over), *(beyond_level(targeted) if equal else [])]
    return table_of(title, columns, records, notes, records)


def rank_records(
    contenders: Sequence[Contender],
    split: str,
    metric: MetricSpec,
    families: dict[str, str],
    *,
    equal: bool = False,
) -> list[dict[str, Any]]:
    """Rank, interval and tie group of each attack by a mean rate, best first.

    Arguments are those of `contest`. Nothing where the attacks share no two scenes.
    """
    found = contest(contenders, split, metric, families, equal=equal) if contenders else None
    if found is None or found.drawn is None or not np.isfinite([found.means, *found.drawn]).all():
        return []
    means, pairs = found.means, list(combinations(range(len(contenders)), 2))
    p_values = holm([sign_flip_test(found.effects(*two)).p for two in pairs])
    apart = {frozenset(two): float(p) for two, p in zip(pairs, p_values, strict=True)}
    groups, ranks = tie_groups(means, apart), rank_intervals(means, apart)
    records = []
    for place, (contender, figure) in enumerate(zip(contenders, found.figures, strict=True)):
        rank, rank_low, rank_high = ranks[place]
        records.append(
            {
                "suite": contender.run.suite,
                "split": split,
                "attack": contender.name,
                "rank": rank,
                "rank_low": rank_low,
                "rank_high": rank_high,
                "tie_group": groups[place],
                **ends_record(f"{metric.name}_mean", percent(figure), "_percent"),
                "images": found.images,
                "scenes": found.scenes,
                "victims": len(found.weights),
            }
        )
    return sorted(records, key=lambda record: (record["rank"], record["attack"]))


def _notes(contenders: Sequence[Contender], over: str) -> Iterable[str]:
    yield (
        f"Rank 1 is the highest mean TASR, whose 95 % are over {REPLICATES} draws of whole "
        f"scenes, the same for all attacks; {AT_HAND}."
    )
    yield TOLD_APART
    yield f"Only what all of these attacks were scored on counts: images, targets, {over}."
    if untargeted := [one.name for one in contenders if not one.attack.targeted]:
        yield f"Not ranked, because untargeted attacks have no TASR: {', '.join(untargeted)}."
    yield from origin_notes(contenders[0].run)
    for one in contenders:
        if one.attack.partial:
            yield f"Not ranked, because partial: {one.name} ({one.attack.partial})."
