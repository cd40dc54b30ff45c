"""The rows of a run against its entries: all there, once each, and such as a scorer writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from bench.records.entry import Entry
from bench.records.frames import (
    TableName,
    distortion_problems,
    images_digest,
    images_of,
    prediction_problems,
)
from bench.records.participants import Coverage
from bench.types import IN, SPLITS
from bench.verdicts import Verdict
from bench.wording import listed, plural

MOST_NAMED = 6


def row_verdicts(
    tables: Mapping[TableName, pd.DataFrame], entries: Sequence[Entry]
) -> Iterator[Verdict]:
    """Check all rows of some entries.

    Args:
        tables: Of a run, of the types that the schema wants.
        entries: Attacks that are looked at.
    """
    images, after = images_of(*tables.values()), tables["conditions"]
    conditions = [str(said) for said in after["said"].unique()]
    yield check_images(images, entries[0])
    images = images.drop_duplicates("image_id")
    parts = {name: dict(iter(rows.groupby("attack"))) for name, rows in tables.items()}
    weaker = list[str]()
    for entry in entries:
        name, classes = entry.attack.name, entry.suite.classes
        mine = {table: parts[table].get(name, rows.iloc[:0]) for table, rows in tables.items()}
        wanted = wanted_cells(images, classes, targeted=entry.attack.targeted)
        yield _predictions_of(entry, mine["predictions"], wanted)
        yield _distortion_of(entry, mine["distortion"], wanted)
        weaker += [f"{name}: {one}" for one in _under_conditions(entry, mine, conditions)]
    if len(after) or weaker:
        complete = f"{plural(len(after), 'row')} {', '.join(conditions)}"
        yield _verdict("rows under conditions", weaker, complete)


def check_images(images: pd.DataFrame, entry: Entry) -> Verdict:
    """One photograph, scene, device, source and split an image; all of Set-C; classes inside only.

    Args:
        images: What `images_of` returns.
        entry: States the suite, and what its Set-C holds.
    """
    suite = entry.suite
    odd = {
        "photograph, scene, device, source or split change": images.duplicated("image_id"),
        f"`split` is none of {', '.join(SPLITS)}": ~images["split"].isin(list(SPLITS)),
        "split and source contradict each other": images["source"].isin(suite.classes)
        != (images["split"] == IN),
    }
    problems = [
        f"{what}: {listed(sorted(images.loc[where, 'image_id'].unique()), 3)}"
        for what, where in odd.items()
        if where.any()
    ]
    evaluated = suite.evaluated
    if evaluated and not problems and images_digest(images) != evaluated.sha256:
        problems.append(
            f"Set-C has {plural(evaluated.images, 'image')}, the rows are of {len(images)}, or "
            "of others"
        )
    counts = ", ".join(f"{n} {split}" for split, n in images.groupby("split").size().items())
    counts += ", each of one photograph, scene, device and source"
    return _verdict("images", problems, counts)


def wanted_cells(images: pd.DataFrame, classes: Sequence[str], *, targeted: bool) -> pd.DataFrame:
    """Columns image_id and target of one attack; the target is "" for an untargeted one.

    In distribution every target but the source, out of distribution every target.
    """
    targets = pd.DataFrame({"target": list(classes) if targeted else [""]})
    cells = images[["image_id", "source"]].merge(targets, how="cross")
    return cells.loc[cells["source"] != cells["target"], ["image_id", "target"]]


def cell_problems(rows: pd.DataFrame, wanted: pd.DataFrame) -> list[str]:
    """Missing, surplus and doubled cells of one attack, named.

    Args:
        rows: With the columns of `wanted`.
        wanted: Columns image_id and target; victim and said (the condition) where cells are of
            these; optional where some may be missing.
    """
    of = [name for name in ("victim", "said") if name in wanted]
    cell = [*of, "image_id", "target"]
    present = rows[cell].astype("string").fillna("")
    both = wanted.merge(present.drop_duplicates(), how="outer", indicator=True)
    missing = both[both["_merge"] == "left_only"]
    found = {
        "missing": missing[~missing["optional"].astype(bool)] if "optional" in missing else missing,
        "surplus": both[both["_merge"] == "right_only"],
        "there twice": present[present.duplicated()].drop_duplicates(),
    }
    problems = []
    for what, cells in found.items():
        parts: Iterable[tuple[Any, pd.DataFrame]] = cells.groupby(of) if of else [((), cells)]
        for where, part in parts:
            if len(part):
                place = f" ({' '.join(map(str, where))})" if where else ""
                names = part["image_id"].str.cat(part["target"], " to ").str.removesuffix(" to ")
                problems.append(f"{plural(len(part), 'row')} {what}{place}: {listed(names, 3)}")
    return problems


def _coverage_problems(said: Coverage | None, counts: Mapping[str, int], wanted: int) -> list[str]:
    """Where there are not as many rows of an attack in part as its entry says."""
    found = {who: Coverage(scored=count, wanted=wanted) for who, count in counts.items()}
    wrong = [f"{there}{who}" for who, there in found.items() if said not in (None, there)]
    return [f"the entry says {said}, there are {listed(wrong)}"] if wrong else []


def _predictions_of(entry: Entry, rows: pd.DataFrame, wanted: pd.DataFrame) -> Verdict:
    lost, part = entry.failed_victims, entry.attack.partial
    scored = [victim for victim in entry.victims if victim.name not in lost]
    victims = pd.Series([one.name for one in scored], name="victim", dtype=object)
    cells = wanted.assign(optional=part is not None).merge(victims, how="cross")
    problems = cell_problems(rows, cells)
    counts = rows["victim"].value_counts()
    known = {f" on {v.name}": int(counts.get(v.name, 0)) for v in scored}
    problems += _coverage_problems(part, known, len(wanted))
    problems += prediction_problems(rows, entry) if len(rows) else []
    whole = f"{plural(len(rows), 'row')}: {len(scored)} victims x {len(wanted)} images and targets"
    return _verdict(f"predictions of {entry.attack.name}", problems, whole, lost)


def _distortion_of(entry: Entry, rows: pd.DataFrame, wanted: pd.DataFrame) -> Verdict:
    check = f"distortion of {entry.attack.name}"
    lost, part = entry.failed_victims, entry.attack.partial
    if rows.empty and len(lost) == len(entry.victims):
        return _verdict(check, [], "no row", lost)
    problems = cell_problems(rows, wanted.assign(optional=part is not None))
    problems += _coverage_problems(part, {"": len(rows)}, len(wanted))
    return _verdict(check, [*problems, *distortion_problems(rows, entry)], plural(len(rows), "row"))


def _under_conditions(
    entry: Entry, mine: Mapping[TableName, pd.DataFrame], conditions: Sequence[str]
) -> Iterator[str]:
    """What is wrong with rows under conditions: they are of the attack's own cells, all of them.

    Nobody leaves a hard victim out of the means, and curves are read off by how far a weaker attack
    goes.
    """
    after, far = mine["conditions"], mine["conditions-distortion"]
    weaker = after.loc[after["quality_percent"].isna(), "said"].unique()
    for rows, whole, said in (
        (after, mine["predictions"], conditions),
        (far, mine["distortion"], weaker),
    ):
        of = [name for name in ("victim", "image_id", "target") if name in whole]
        wanted = (
            whole[of].astype("string").fillna("").merge(pd.Series(said, name="said"), how="cross")
        )
        yield from cell_problems(rows, wanted)
    yield from prediction_problems(after, entry) if len(after) else ()
    yield from distortion_problems(far, entry)


def _verdict(check: str, problems: list[str], whole: str, lost: Sequence[str] = ()) -> Verdict:
    if lost and not problems:
        finding = f"{whole}; failed, as the entry says: {listed(lost)}"
        return Verdict(check, "warn", finding, "run it again")
    named = "; ".join(problems[:MOST_NAMED]) + (" ..." if len(problems) > MOST_NAMED else "")
    return Verdict(check, "fail" if problems else "ok", named or whole)
