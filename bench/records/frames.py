"""The tables of a run: their columns, and whether rows are such as a scorer writes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.records.entry import Entry
from bench.records.metric import METRICS, image_metrics
from bench.records.participants import NO_NETWORK
from bench.types import IN, SPLITS
from bench.wording import listed

TableName = Literal["predictions", "distortion", "conditions", "conditions-distortion"]
Problem: TypeAlias = tuple[str, "pd.Series[bool]"]
"""What is wrong, and with which rows."""
IMAGE = ["image_id", "photo_id", "scene", "device", "source", "split"]
CELL = ["split", "image_id", "target", "attack", "victim"]
CONDITION = ["strength", "quality_percent"]
"""What happened to anonymised images before they were scored: `bench.jobs.scoring.condition`."""
TOLERANCE = 1e-5
PLAIN_TO_SEE = 60
"""PSNR in dB below which LPIPS tells an image from its original."""
_LOOSE = 1e-6


_ASKED = ("suite", "split", "image_id", "photo_id", "scene", "device", "source", "target")
_PREDICTED = ("predicted", "p_source", "p_target", "p_predicted", "attack_key", "victim_key")
_TEXT = {*_ASKED, "attack", "victim", "predicted", "attack_key", "victim_key"}
"""The other columns hold numbers."""
_MAY_BE_NULL = {"target", "p_source", "p_target", "p_predicted", "quality_percent"}
"""Of untargeted attacks, out of distribution, of labels alone, and where there was no JPEG save."""


def table_columns(table: TableName) -> tuple[str, ...]:
    """The columns that a table must have; more are welcome.

    Those of metrics that do not ship are read where they are.
    """
    under = CONDITION if table in ("conditions", "conditions-distortion") else ()
    if table in ("predictions", "conditions"):
        return (*_ASKED, "attack", "victim", *_PREDICTED, *under)
    figures = (m.name for m in image_metrics() if METRICS.is_own(m.name))
    return (*_ASKED, "attack", "attack_key", *figures, *under)


def no_rows(table: TableName) -> pd.DataFrame:
    """The table of a run that has none of its rows."""
    return by_condition(pd.DataFrame(columns=list(table_columns(table))))


def by_condition(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in order of their conditions, with what these are called as `said`.

    The strongest attack comes first, then the best JPEG quality. Other rows stay as they are.
    Strengths lose what single precision adds to them: those that are called alike are the same.
    """
    if not set(CONDITION) <= set(rows.columns):
        return rows
    rows = rows.assign(strength=rows["strength"].astype("float64").round(6))
    order = (-rows["strength"], -rows["quality_percent"].astype("float64"))
    rows = rows.iloc[np.lexsort([part.fillna(-np.inf) for part in order])]
    conditions = rows[CONDITION].drop_duplicates()
    said = [condition_said(*one) for one in conditions.itertuples(index=False)]
    return rows.merge(conditions.assign(said=pd.array(said, "object")), on=CONDITION)


def condition_said(strength: float, quality_percent: float | None) -> str:
    """What a person calls a condition: nothing, where nothing was done."""
    said = [] if strength == 1 else [f"at strength {strength:g}"]
    if not pd.isna(quality_percent):
        said.append(f"after JPEG {quality_percent:g}")
    return " ".join(said)


def type_problems(rows: pd.DataFrame, table: TableName) -> list[str]:
    """Columns of another type or range than stated, or with holes where there may be none."""
    found = []
    for name in table_columns(table):
        present, kind = rows[name].dropna(), "text" if name in _TEXT else "number"
        if len(present) < len(rows) and name not in _MAY_BE_NULL:
            lost = rows.loc[rows[name].isna(), ["attack", "image_id"]]
            first = " of image ".join(map(repr, lost.iloc[0]))
            found.append(f"column `{name}`: expected no null, found {len(lost)}, first {first}")
        number = pd.api.types.is_numeric_dtype(present) and not pd.api.types.is_bool_dtype(present)
        text = pd.api.types.infer_dtype(present, skipna=True) in ("string", "categorical")
        if len(present) and not (number if kind == "number" else text):
            found.append(f"column `{name}`: expected {kind}, found {present.dtype}")
        elif name == "strength" and not ((present > 0) & (present <= 1)).all():
            found.append("column `strength`: expected above 0, 1 at most")
        elif name == "quality_percent" and not present.isin(range(1, 101)).all():
            found.append("column `quality_percent`: expected whole numbers from 1 to 100")
    is_changed = "strength" in table_columns(table)
    if is_changed and (rows["strength"].eq(1) & rows["quality_percent"].isna()).any():
        found.append("rows at full strength without a JPEG save are under no condition")
    return found


def images_told(manifest: pd.DataFrame) -> pd.DataFrame:
    """What rows say of each image of a manifest; a scene that is not told is the photograph's."""
    scene = manifest["scene"].fillna(manifest["photo_id"])
    return manifest.rename(columns={"model": "source"}).assign(scene=scene)[IMAGE]


def images_of(*frames: pd.DataFrame) -> pd.DataFrame:
    """Each image that any row names, once, with what rows say of it."""
    found = pd.concat([frame[IMAGE].drop_duplicates() for frame in frames])
    return found.drop_duplicates(ignore_index=True)


def same_distortion(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether distortions differ by no more than other processors' rounding of a few pixels."""
    return np.isclose(one, other, rtol=0.01, atol=1e-4)


def images_digest(images: pd.DataFrame) -> str:
    """SHA-256 of which images there are, and of what rows say of each."""
    lines = sorted(json.dumps(row) for row in images[IMAGE].astype(str).to_numpy().tolist())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def check_predictions(predictions: pd.DataFrame) -> None:
    """Refuse rows that no honest scoring run can have written.

    A victim may state no probability at all, in none of its rows.

    Raises:
        ValueError: If a probability is NaN where it is defined or lies outside [0, 1], a target
            is the source ("in"), a split is unknown, or a cell is there twice; rows are named.
    """
    stated = predictions[["p_predicted", "p_source", "p_target"]].notna().any(axis=1)
    by_victim = stated.groupby(predictions["victim"]).any()
    sure = predictions["victim"].map(by_victim).astype(bool)
    if problems := _named(predictions, _impossible(predictions, sure)):
        raise ValueError(f"predictions: {problems[0]}; score these attacks anew")


def _impossible(rows: pd.DataFrame, sure: pd.Series[bool]) -> Iterator[Problem]:
    """What cannot be, whatever an entry says; `sure` are the rows with probabilities."""
    inside, targeted = rows["split"] == IN, rows["target"].notna()
    yield f"`split` is none of {', '.join(SPLITS)}", ~rows["split"].isin(list(SPLITS))
    yield "`predicted` is missing", rows["predicted"].isna()
    defined = {"predicted": sure, "source": sure & inside, "target": sure & targeted}
    for name, where in defined.items():
        values = rows[f"p_{name}"].astype("float64")
        yield f"`p_{name}` is NaN", where & values.isna()
        outside = values.notna() & ~values.between(-_LOOSE, 1 + _LOOSE)
        yield f"`p_{name}` is outside [0, 1]", outside
    same = inside & targeted & (rows["source"] == rows["target"])
    yield "the target is the source, which the protocol leaves out", same
    yield "the cell is there twice", rows.duplicated(cell_of(rows))


def prediction_problems(rows: pd.DataFrame, entry: Entry) -> list[str]:
    """What is wrong with one attack's prediction rows.

    The predicted label has the highest probability, so a label or a probability that was changed
    alone contradicts the others.
    """
    return _named(rows, _impossible_by_entry(rows, entry))


def _impossible_by_entry(rows: pd.DataFrame, entry: Entry) -> Iterator[Problem]:
    victims = {victim.name: victim for victim in entry.victims}
    sure = ~rows["victim"].isin([name for name, one in victims.items() if one.labels_only])
    yield "the suite is another", rows["suite"] != entry.suite.name
    yield "attack_key is not the entry's", rows["attack_key"] != entry.attack.key
    lost = [name for name, victim in victims.items() if victim.digest == NO_NETWORK]
    yield "its victim has no network, says the entry", _plain(rows) & rows["victim"].isin(lost)
    keys = rows["victim"].map({name: victim.key for name, victim in victims.items()})
    yield "victim_key is not the entry's", rows["victim_key"] != keys
    known = {(name, label) for name, victim in victims.items() for label in victim.classes}
    labels = pd.MultiIndex.from_frame(rows[["victim", "predicted"]])
    strange = pd.Series(~labels.isin(list(known)), index=rows.index)
    yield "`predicted` is no class of its victim", strange
    yield from _impossible(rows, sure)
    p = {name: rows[f"p_{name}"].astype("float64") for name in ("predicted", "source", "target")}
    asked = {"source": sure & (rows["split"] == IN), "target": sure & rows["target"].notna()}
    for name, where in ({"predicted": sure} | asked).items():
        yield f"`p_{name}` is not defined here", ~where & p[name].notna()
    total = p["predicted"].copy()
    for name, where in asked.items():
        said = rows["predicted"].astype("object") == rows[name].astype("object")
        apart = (p["predicted"] - p[name]).abs() > TOLERANCE
        yield f"`predicted` is the {name}, with another probability than it", where & said & apart
        above = where & (p[name] > p["predicted"] + TOLERANCE)
        yield f"the {name} is likelier than `predicted`", above
        total += p[name].where(where & ~said, 0.0).fillna(0)
    yield "probabilities add up to more than 1", total > 1 + TOLERANCE
    counts = {name: len(victim.classes) for name, victim in victims.items()}
    sizes = rows["victim"].map(counts).astype("float64")
    yield "`p_predicted` is below one in all classes", p["predicted"] < 1 / sizes - TOLERANCE


def distortion_problems(rows: pd.DataFrame, entry: Entry) -> list[str]:
    """What is wrong with one attack's distortion rows."""
    return _named(rows, _impossible_distortions(rows, entry))


def _impossible_distortions(rows: pd.DataFrame, entry: Entry) -> Iterator[Problem]:
    yield "the suite is another", rows["suite"] != entry.suite.name
    yield "attack_key is not the entry's", rows["attack_key"] != entry.attack.key
    lost = entry.attack.digest == NO_NETWORK
    yield "its attack has no network, says the entry", _plain(rows) & lost
    metrics = image_metrics(rows.columns)
    values = {m.name: rows[m.name].astype("float64") for m in metrics}
    same, apart = pd.Series(False, index=rows.index), pd.Series(False, index=rows.index)
    for m in metrics:
        inside = values[m.name].between(m.lowest - TOLERANCE, m.highest + TOLERANCE)
        if METRICS.is_own(m.name) and np.isfinite(m.unchanged):
            inside &= np.isfinite(values[m.name])
        yield f"`{m.name}` is NaN or outside [{m.lowest:g}, {m.highest:g}]", ~inside
        if METRICS.is_own(m.name) and np.isinf(m.unchanged):
            same |= values[m.name] == m.unchanged
            apart |= (values[m.name] < PLAIN_TO_SEE) & (m.unit == "dB")
    for m in metrics:
        other = (values[m.name] - m.unchanged).abs() > 1e-4
        yield f"`{m.name}` of an unchanged image is not {m.unchanged:g}", same & other
        if m.level is not None:  # by which boards rank
            still = values[m.name] == m.unchanged
            yield f"`{m.name}` of a changed image is {m.unchanged:g}", apart & still


def _plain(rows: pd.DataFrame) -> pd.Series:
    """Which rows are under no condition: only of these a digest tells whether they can be."""
    return pd.Series("strength" not in rows, index=rows.index)


def _named(rows: pd.DataFrame, problems: Iterator[Problem]) -> list[str]:
    """Each problem that there is, with the cells of the first rows that have it."""
    found = []
    for what, wrong in problems:
        if wrong.any():
            count, cells = int(wrong.sum()), rows.loc[wrong, cell_of(rows)].head(3)
            names = [" ".join(map(str, cell.dropna())) for _, cell in cells.iterrows()]
            more = f" and {count - len(names)} more" if count > len(names) else ""
            found.append(f"{what} in {count} of {len(rows)} rows: {listed(names)}{more}")
    return found


def cell_of(rows: pd.DataFrame) -> list[str]:
    """The columns that tell rows of a table apart: those of `CELL`, and the condition."""
    return [name for name in (*CELL, "said") if name in rows]
