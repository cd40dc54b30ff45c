"""Pairs of attacks: difference, interval, sign-flip test, McNemar's test, Holm's correction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from bench.metrics.paired import Shared, shared_units
from bench.metrics.resampling import REPLICATES, percentile_interval
from bench.metrics.significance import DRAWS, McNemar, SignFlip, holm, mcnemar, sign_flip_test
from bench.records.metric import METRICS, MetricSpec, views
from bench.report.comparison.contenders import (
    Contender,
    contest,
    level_said,
    mean_families,
    require_known,
)
from bench.report.tables.notes import origin_notes
from bench.report.tables.table import NA, Shown, Table, number, signed, table_of
from bench.wording import listed, plural


@dataclass(frozen=True, kw_only=True)
class AttackPair:
    """Two attacks, one split, one rate; `mcnemar` only within one victim and one target."""

    first: Contender
    second: Contender
    split: str
    metric: MetricSpec
    paired: Shared
    interval: tuple[float, float] | None
    test: SignFlip
    mcnemar: McNemar | None


def compare_pairs(
    contenders: Sequence[Contender],
    *,
    victim: str | None = None,
    target: str | None = None,
    equal: bool = False,
) -> list[AttackPair]:
    """Compare every pair in every split and rate that both have.

    Args:
        contenders: At least two.
        victim: Only this one.
        target: Only images sent to this camera model, and untargeted images beside them.
        equal: At equal distortion, in the splits where both reach the level; over all targets.

    Raises:
        ValueError: If there are fewer than two attacks, or no two of them share a prediction.
        UnknownNameError: If there is no such victim or target.
    """
    if len(contenders) < 2:
        raise ValueError("expected two attacks or more to compare; `camobench table` lists them")
    families = mean_families(contenders, victim)
    if target is not None:
        require_known("target", target, contenders[0].run.classes)
    found = []
    for (split, metric), (first, second) in product(views(), combinations(contenders, 2)):
        targeted = first.targeted and second.targeted
        if not metric.defined(split, targeted=targeted):
            continue
        if equal and not (first.reaches_level(split) and second.reaches_level(split)):
            continue
        both = contest((first, second), split, metric, families, equal=equal, target=target)
        if both is None:
            continue
        (paired, drawn), single = both, None
        if victim is not None and target is not None:
            rows = [one.rows(split, target) for one in (first, second)]
            mine = [part[part["victim"] == victim] for part in rows]
            units = shared_units(mine, metric, by_target=targeted)
            single = mcnemar(units[0], units[1])
        found.append(
            AttackPair(
                first=first,
                second=second,
                split=split,
                metric=metric,
                paired=paired,
                interval=None if drawn is None else percentile_interval(drawn[:, 0] - drawn[:, 1]),
                test=sign_flip_test(paired.effects),
                mcnemar=single,
            )
        )
    if not found:
        for one in contenders:
            if failed := one.run.entry(one.attack.name).failed:
                cell = failed[0]
                raise ValueError(
                    f"{one.label} failed on {cell.victim}: {cell.reason} ({cell.log}); nothing is "
                    "left to compare"
                )
        raise ValueError(
            "these attacks share no image, target and victim; score them on the same victims"
            + (", and at --strength 0.25,0.5,0.75" if equal else "")
        )
    return found


_COLUMNS: Shown[dict[str, Any]] = (
    ("Attacks", lambda r: f"{r['first']} − {r['second']}"),
    ("Split", lambda r: r["split"]),
    ("Rate", lambda r: METRICS.get(r["measure"]).spec.title),
    ("Images", lambda r: str(r["images"])),
    ("First", lambda r: number(r["first_percent"])),
    ("Second", lambda r: number(r["second_percent"])),
    ("Difference", lambda r: signed(r["difference_points"])),
    (
        "95 %",
        lambda r: (
            NA
            if r["low_points"] is None
            else f"{signed(r['low_points'])} to {signed(r['high_points'])}"
        ),
    ),
    ("p", lambda r: p_text(r["p"])),
    ("p (Holm)", lambda r: p_text(r["p_holm"])),
)
_WITHIN_ONE_CELL: Shown[dict[str, Any]] = (
    ("Only first", lambda r: str(r["mcnemar_only_first"])),
    ("Only second", lambda r: str(r["mcnemar_only_second"])),
    ("McNemar p", lambda r: p_text(r["mcnemar_p"])),
    ("McNemar p (Holm)", lambda r: p_text(r["mcnemar_p_holm"])),
)


def pairs_table(
    comparisons: Sequence[AttackPair],
    victim: str | None,
    target: str | None,
    *,
    equal: bool = False,
) -> Table:
    """One row a comparison, `equal` at equal distortion; Holm's correction is over all of them."""
    records = [_record(one, victim, target) for one in comparisons]
    singles = any(one.mcnemar for one in comparisons)
    for name in ("p", "mcnemar_p") if singles else ("p",):
        adjusted = holm([record[name] for record in records])
        for record, p_holm in zip(records, adjusted, strict=True):
            record[f"{name}_holm"] = float(p_holm)
    at = f"at {level_said(comparisons[0].first.run)}" if equal else None
    where = ", ".join(filter(None, (at, victim, target and f"target {target}")))
    title = f"Attacks compared on {comparisons[0].first.run.suite}" + (
        f" ({where})" if where else ""
    )
    columns = (*_COLUMNS, *(_WITHIN_ONE_CELL if singles else ()))
    notes = dict.fromkeys(_notes(comparisons, singles, victim))
    return table_of(title, columns, records, notes, records)


def p_text(p: float) -> str:
    """A p-value for reading."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _record(one: AttackPair, victim: str | None, target: str | None) -> dict[str, Any]:
    first, second = one.paired.means
    low, high = (100 * end for end in one.interval) if one.interval else (None, None)
    record: dict[str, Any] = {
        "suite": one.first.run.suite,
        "split": one.split,
        "measure": one.metric.name,
        "first": one.first.label,
        "second": one.second.label,
        "victim": victim,
        "target": target,
        "images": one.paired.images,
        "photographs": one.paired.photographs,
        "predictions": one.paired.units,
        "first_percent": 100 * first,
        "second_percent": 100 * second,
        "difference_points": 100 * one.paired.difference,
        "low_points": low,
        "high_points": high,
        "p": one.test.p,
        "p_exact": one.test.exact,
        "p_holm": None,
    }
    if one.mcnemar is not None:
        record["mcnemar_only_first"] = one.mcnemar.only_first
        record["mcnemar_only_second"] = one.mcnemar.only_second
        record["mcnemar_p"] = one.mcnemar.p
    return record


def _shared_victims(comparisons: Sequence[AttackPair]) -> Iterable[str]:
    """Which victims means are over; two runs may have different ones."""
    counted = mean_families([side for one in comparisons for side in (one.first, one.second)])
    for one in comparisons:
        first, second = one.first, one.second
        mine, theirs = (counted.keys() & side.run.families.keys() for side in (first, second))
        both, names = sorted(mine & theirs), f"{first.label} and {second.label}"
        if mine == theirs:
            families = listed(sorted({counted[victim] for victim in both}))
            yield f"Means are over {plural(len(both), 'victim')} (families {families})."
        else:
            yield (
                f"{names}: over the {plural(len(both), 'victim')} in common ({listed(both)}), of "
                f"{len(mine)} and {len(theirs)}."
            )


def _notes(
    comparisons: Sequence[AttackPair], with_mcnemar: bool, victim: str | None
) -> Iterable[str]:
    yield (
        "First, Second: mean over families of means over architectures, in %, over the images that "
        "both attacks were scored on (Images); Difference in points. Where one attack is "
        "untargeted, the other's targets of an image are averaged first."
    )
    yield (
        f"95 %: bootstrap, {REPLICATES} draws of whole source photographs, the same for both; "
        "conditional on the trained networks at hand."
    )
    if victim is None:
        yield from _shared_victims(comparisons)
    for one in {c.label: c for two in comparisons for c in (two.first, two.second)}.values():
        if one.attack.partial:
            yield f"{one.label} is partial: {one.attack.partial}."
        if one.targeted and not one.attack.targeted:
            yield f"{one.label} is doing nothing: untouched images, asked for every target."
    drawn = not all(one.test.exact for one in comparisons)
    yield (
        "p: two-sided sign-flip permutation test over photographs, "
        + (f"{DRAWS} draws, the observed one added." if drawn else "all sign patterns.")
        + f" p (Holm): corrected for the {len(comparisons)} comparisons shown."
    )
    counts: dict[str, list[int]] = {}
    for two in comparisons:
        counts.setdefault(two.split, []).append(two.paired.photographs)
    for split, found in counts.items():
        few, most = min(found), max(found)
        yield f"Photographs compared, {split}: {most if few == most else f'{few} to {most}'}."
    if with_mcnemar:
        yield (
            "McNemar: exact, on the images where only one attack succeeds; images count as "
            "independent, so several tiles of one photograph make p too small. In CSV and JSON, "
            "rounded to six places, 0 is less than 0.0000005."
        )
    for run in {id(c.run): c.run for one in comparisons for c in (one.first, one.second)}.values():
        yield from origin_notes(run)
