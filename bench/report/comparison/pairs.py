"""Pairs of attacks: difference, interval, sign-flip test, McNemar's test, Holm's correction."""

from collections.abc import Iterable, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np

from bench.metrics.paired import Shared, shared_units
from bench.metrics.resampling import REPLICATES, percentile_interval
from bench.metrics.significance import ALPHA, DRAWS, holm, mcnemar, sign_flip_test
from bench.records.metric import METRICS, MetricSpec, views
from bench.report.comparison.contenders import (
    Contender,
    beyond_level,
    contest,
    doing_nothing,
    level_said,
    nothing_shared,
    require_known,
)
from bench.report.statistics import averaged
from bench.report.tables.notes import AT_HAND, origin_notes
from bench.report.tables.table import NA, Shown, Table, number, signed, table_of
from bench.wording import listed, plural

Pair = tuple[Contender, Contender]


def p_text(p: float | None) -> str:
    """A p-value for reading."""
    return NA if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _interval(record: dict[str, Any]) -> str:
    ends = [signed(record[end]) for end in ("low_points", "high_points")]
    return NA if NA in ends else " to ".join(ends)


_COLUMNS: Shown[dict[str, Any]] = (
    ("Attacks", lambda r: f"{r['first']} − {r['second']}"),
    ("Split", lambda r: r["split"]),
    ("Rate", lambda r: METRICS.get(r["measure"]).spec.title),
    ("Images", lambda r: str(r["images"])),
    ("First", lambda r: number(r["first_percent"])),
    ("Second", lambda r: number(r["second_percent"])),
    ("Difference", lambda r: signed(r["difference_points"])),
    ("95 %", _interval),
    ("p", lambda r: p_text(r["p"])),
    ("p (Holm)", lambda r: p_text(r["p_holm"])),
)
_WITHIN_ONE_CELL: Shown[dict[str, Any]] = (
    ("Only first", lambda r: number(r["mcnemar_only_first"], 0)),
    ("Only second", lambda r: number(r["mcnemar_only_second"], 0)),
    ("McNemar p", lambda r: p_text(r["mcnemar_p"])),
    ("McNemar p (Holm)", lambda r: p_text(r["mcnemar_p_holm"])),
)


def pairs_table(
    contenders: Sequence[Contender],
    *,
    victim: str | None = None,
    target: str | None = None,
    equal: bool = False,
) -> Table:
    """Every pair of attacks in every split and rate that both have, one row each.

    Holm's correction is over all rows; McNemar's test is made within one victim and one target.
    At `equal` distortion, in the splits where both reach the level.

    Raises:
        ValueError: If there are fewer than two attacks, or no two of them share a prediction.
        UnknownNameError: If there is no such victim or target.
    """
    if len(contenders) < 2:
        raise ValueError("expected two attacks or more to compare; `camobench table` lists them")
    run = contenders[0].run
    families = averaged(run.victims)
    if victim is not None:
        require_known("victim", victim, run.families)
        families = {victim: run.families[victim]}
    if target is not None:
        require_known("target", target, run.classes)
    records, pairs = [], []
    for (split, metric), pair in product(views(), combinations(contenders, 2)):
        able = metric.defined(split, targeted=all(one.targeted for one in pair))
        if not able or (equal and not all(one.reaches_level(split) for one in pair)):
            continue
        if both := contest(pair, split, metric, families, equal=equal, target=target):
            record = {
                "suite": run.suite,
                "split": split,
                "measure": metric.name,
                "first": pair[0].name,
                "second": pair[1].name,
                "victim": victim,
                "target": target,
                **_difference(both),
            }
            if victim is not None and target is not None:
                record |= _within_one_cell(pair, split, metric, victim, target)
            records.append(record)
            pairs.append(pair)
    if not records:
        raise ValueError(nothing_shared(contenders, "image, target and victim", equal=equal))
    singles = "mcnemar_p" in records[0]
    for name in ("p", "mcnemar_p") if singles else ("p",):
        tested = [record for record in records if record[name] is not None]
        adjusted = holm([record[name] for record in tested])
        for record, p_holm in zip(tested, adjusted, strict=True):
            record[f"{name}_holm"] = float(p_holm)
    at = f"at {level_said(run)}" if equal else None
    shown = ", ".join(filter(None, (at, victim, target and f"target {target}")))
    title = f"Attacks compared on {run.suite}" + (f" ({shown})" if shown else "")
    columns = (*_COLUMNS, *(_WITHIN_ONE_CELL if singles else ()))
    notes = dict.fromkeys(_notes(pairs, records, victim, equal=equal))
    notes |= dict.fromkeys(beyond_level(contenders) if equal else [])
    return table_of(title, columns, records, notes, records)


def _difference(both: Shared) -> dict[str, Any]:
    (first, second), effects, drawn = both.means, both.effects(0, 1), both.drawn
    test = sign_flip_test(effects)
    low, high = None, None
    if drawn is not None:
        apart = 100 * (drawn[:, 0] - drawn[:, 1])
        low, high = np.clip(percentile_interval(apart, both.scenes), -100, 100).tolist()
    return {
        "images": both.images,
        "scenes": both.scenes,
        "predictions": both.units,
        "first_percent": 100 * first,
        "second_percent": 100 * second,
        "difference_points": 100 * float(effects.sum()),
        "low_points": low,
        "high_points": high,
        "p": test.p,
        "p_exact": test.exact,
        "p_holm": None,
    }


def _within_one_cell(
    pair: Pair, split: str, metric: MetricSpec, victim: str, target: str
) -> dict[str, Any]:
    rows = [one.rows(split, target) for one in pair]
    mine = [part[part["victim"] == victim] for part in rows]
    units = shared_units(mine, metric, by_target=all(one.targeted for one in pair))
    is_binary = units[[0, 1]].isin([0, 1]).all(axis=None)  # a metric may be a fraction
    found = mcnemar(units[0], units[1]) if is_binary else None
    return {
        "mcnemar_only_first": found and found.only_first,
        "mcnemar_only_second": found and found.only_second,
        "mcnemar_p": found and found.p,
        "mcnemar_p_holm": None,
    }


def _shared_victims(pairs: Sequence[Pair], *, equal: bool) -> Iterable[str]:
    """Which victims means are over; two attacks may have been scored on different ones."""
    sides = {one.name: one for pair in pairs for one in pair}
    counted = averaged(pairs[0][0].run.victims)
    scored = {
        name: counted.keys() & one.victims & (doing_nothing(one) if equal else one).victims
        for name, one in sides.items()
    }
    for first, second in pairs:
        mine, theirs = scored[first.name], scored[second.name]
        both, names = sorted(mine & theirs), f"{first.name} and {second.name}"
        if mine == theirs:
            families = listed(sorted({counted[victim] for victim in both}))
            yield f"Means are over {plural(len(both), 'victim')} (families {families})."
        else:
            yield (
                f"{names}: over the {plural(len(both), 'victim')} in common ({listed(both)}), of "
                f"{len(mine)} and {len(theirs)}."
            )


def _notes(
    pairs: Sequence[Pair], records: Sequence[dict[str, Any]], victim: str | None, *, equal: bool
) -> Iterable[str]:
    yield (
        "First, Second: mean over families of means over architectures, in %, over the images that "
        "both attacks were scored on (Images); Difference in points. Where one attack is "
        "untargeted, the other's targets of an image are averaged first."
    )
    yield f"95 %: bootstrap, {REPLICATES} draws of whole scenes, the same for both; {AT_HAND}."
    if victim is None:
        yield from _shared_victims(pairs, equal=equal)
    for one in {one.name: one for pair in pairs for one in pair}.values():
        if one.attack.partial:
            yield f"{one.name} is partial: {one.attack.partial}."
        if one.targeted and not one.attack.targeted:
            yield f"{one.name} is doing nothing: untouched images, asked for every target."
    drawn = not all(record["p_exact"] for record in records)
    yield (
        "p: two-sided sign-flip permutation test over scenes, "
        + (f"{DRAWS} weighed draws." if drawn else "all sign patterns.")
        + f" p (Holm): corrected for the {len(records)} comparisons shown. In CSV and JSON, "
        "rounded to six places, 0 is less than 0.0000005."
    )
    counts: dict[str, list[int]] = {}
    for record in records:
        counts.setdefault(record["split"], []).append(record["scenes"])
    for split, found in counts.items():
        few, most = min(found), max(found)
        told = "" if 2.0 ** (1 - few) <= ALPHA else f"; of {few}, no p can be below {ALPHA:g}"
        yield f"Scenes compared, {split}: {most if few == most else f'{few} to {most}'}{told}."
    if "mcnemar_p" in records[0]:
        yield (
            "McNemar: exact, on the images where only one attack succeeds; images count as "
            "independent, so several of one scene make p too small; n/a, and not "
            "corrected for, where a rate is a fraction of an image."
        )
    yield from origin_notes(pairs[0][0].run)
