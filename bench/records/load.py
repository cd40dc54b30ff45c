"""Read a run's folder (Parquet, `entry-*.json`, samples) and refuse what does not fit together.

Entries of different suites, recipes, scorers or LPIPS versions never share a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from bench.records.entry import Entry, read_entry
from bench.records.frames import (
    TableName,
    by_condition,
    check_predictions,
    no_rows,
    table_columns,
    type_problems,
)
from bench.records.metric import image_metrics
from bench.records.parquet import read_columns
from bench.records.participants import NO_NETWORK, VictimRecord
from bench.records.run import RunData
from bench.records.samples import load_samples
from bench.types import IN

TABLES: tuple[TableName, ...] = ("predictions", "distortion")
CONDITIONS: tuple[TableName, ...] = ("conditions", "conditions-distortion")
"""Of a run that has rows under conditions."""


def load_run(directory: str | Path) -> RunData:
    """Read and check everything that tables, report, boards and checks need.

    Raises:
        ValueError: If a file is missing, unreadable, from another schema, or disagrees with
            another; the message names the file and the remedy.
    """
    folder = Path(directory)
    entries = tuple(read_entry(path) for path in entry_paths(folder))
    tables = {name: read_table(folder, name) for name in (*TABLES, *CONDITIONS)}
    return assemble(folder, entries, tables)


def entry_paths(folder: Path) -> list[Path]:
    """The entries of a folder, in order.

    Raises:
        ValueError: If there are none.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; give the --out folder of a run")
    paths = sorted(folder.glob("entry-*.json"))
    if not paths:
        raise ValueError(f"{folder} holds no entry-*.json; give the --out folder of a finished run")
    return paths


def read_table(folder: Path, table: TableName) -> pd.DataFrame:
    """The columns of a run's table that are known here; those under conditions may have no rows.

    Raises:
        ValueError: As `read_parquet`, or if a column is not of its type.
    """
    path = folder / f"{table}.parquet"
    if table in CONDITIONS and not path.is_file():
        return no_rows(table)
    more = () if table in ("predictions", "conditions") else tuple(m.name for m in image_metrics())
    rows = read_parquet(path, table_columns(table), more)
    if problems := type_problems(rows, table):
        raise ValueError(f"{path}: {'; '.join(problems)}; score it anew")
    return by_condition(rows)


def read_parquet(
    path: Path,
    columns: Sequence[str],
    more: Sequence[str] = (),
    again: str = "run again with this version",
) -> pd.DataFrame:
    """Read these columns of a Parquet file of a run, and `more` where they are there.

    `again` says what makes it anew.

    Raises:
        ValueError: If it is missing, unreadable, or lacks one of `columns`; names the remedy.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing; run the same command again to complete the folder")
    try:
        frame, names = read_columns(path, {*columns, *more})
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is not readable Parquet ({error}); {again}") from error
    missing = [name for name in columns if name not in names]
    if missing:
        raise ValueError(f"{path} lacks the columns {missing}; {again}")
    return frame


def assemble(
    folder: Path, entries: tuple[Entry, ...], tables: Mapping[TableName, pd.DataFrame]
) -> RunData:
    """A run of what was read of it, with the tables of `TABLES` and `CONDITIONS`.

    Raises:
        ValueError: If it does not fit together.
    """
    first, path = entries[0], folder / "predictions.parquet"
    for what, value_of in TERMS.items():
        for entry in entries:
            if value_of(entry) != value_of(first):
                raise ValueError(
                    f"{folder / _file(entry)} has {what} {value_of(entry)!r}, {_file(first)} has "
                    f"{value_of(first)!r}; such entries never share a table: run them anew, or "
                    "keep them in folders of their own"
                )
    names = {entry.attack.name for entry in entries}
    for entry in entries:
        if entry.attack.label in names - {entry.attack.name}:
            raise ValueError(
                f"{folder / _file(entry)}: the label {entry.attack.label!r} is another attack's "
                "name; choose another label"
            )
    victims = _victims(folder, entries)
    keys = {
        "attack": {entry.attack.name: entry.attack.key for entry in entries},
        "victim": {victim.name: victim.key for victim in victims},
    }
    for name, frame in tables.items():
        for kind in keys.keys() & set(frame.columns):
            match_keys(frame, folder / f"{name}.parquet", kind, keys[kind])
        if suites := set(frame["suite"].unique()) - {first.suite.name}:
            raise ValueError(
                f"{folder / name}.parquet has rows of {sorted(suites)}, the entries are of "
                f"{first.suite.name!r}; keep one suite in a folder"
            )
    predictions, changed = tables["predictions"], tables["conditions-distortion"]
    if changed[[metric.name for metric in image_metrics(changed.columns)]].isna().any(axis=None):
        raise ValueError(f"{folder / 'conditions-distortion.parquet'} has NaN; score it anew")
    for column in ("device", "scene"):
        if (predictions.groupby("photo_id")[column].nunique() > 1).any():
            raise ValueError(
                f"{path}: one `photo_id` belongs to two {column}s, so intervals would be wrong; "
                "make photo_id unique in the suite"
            )
    check_predictions(predictions)
    check_predictions(tables["conditions"])
    stated = predictions.groupby("victim")["p_predicted"].count()
    for victim in victims:
        if bool(stated.get(victim.name, 1)) == victim.labels_only:
            raise ValueError(
                f"victim {victim.name!r} {'has' if victim.labels_only else 'lacks'} probabilities, "
                "which its entry contradicts; score it anew"
            )
    inside = predictions.loc[predictions["split"] == IN, "source"]
    strangers = {*inside.unique(), *predictions["target"].dropna().unique()}
    strangers -= set(first.suite.classes)
    if strangers:
        raise ValueError(
            f"{path}: {sorted(strangers)} are no classes of the suite; labels are the camera "
            "names that the entries list: run again"
        )
    return RunData(
        directory=folder,
        predictions=predictions,
        distortion=tables["distortion"],
        conditions=tables["conditions"],
        condition_distortion=changed,
        entries=entries,
        victims=victims,
        samples=load_samples(folder / "samples"),
    )


TERMS: dict[str, Callable[[Entry], object]] = {
    "suite": lambda entry: entry.suite.name,
    "suite fingerprint": lambda entry: entry.suite.fingerprint,
    "suite classes": lambda entry: entry.suite.classes,
    "recipe": lambda entry: entry.recipe,
    "seed": lambda entry: entry.seeds,
    "scorer version": lambda entry: entry.scorer_version,
    "LPIPS version": lambda entry: str(entry.lpips),
}
"""What entries agree on that share a table."""


def _file(entry: Entry) -> str:
    return f"entry-{entry.attack.name}.json"


def _victims(folder: Path, entries: Sequence[Entry]) -> tuple[VictimRecord, ...]:
    found = each_once(victim for entry in entries for victim in entry.victims)
    for entry in entries:
        for victim in entry.victims:
            first = found[victim.name]
            if victim.column != first.column or not same_network(victim, first):
                raise ValueError(
                    f"{folder / _file(entry)}: victim {victim.name!r} differs from the one in "
                    "another entry (another recipe, seed or precision?); keep one of each in a "
                    "folder"
                )
    return tuple(found.values())


def each_once(victims: Iterable[VictimRecord]) -> dict[str, VictimRecord]:
    """Victims by name, the first of each that has a network, if any has."""
    found: dict[str, VictimRecord] = {}
    for victim in victims:
        if found.setdefault(victim.name, victim).digest == NO_NETWORK:
            found[victim.name] = victim
    return found


def same_network(one: VictimRecord, other: VictimRecord) -> bool:
    """Whether two victims may have the same weights: what failed may have any."""
    return one.digest == other.digest or NO_NETWORK in (one.digest, other.digest)


def match_keys(frame: pd.DataFrame, path: Path, column: str, keys: dict[str, str]) -> None:
    """Refuse rows of an attack or a victim under another key than its entry's.

    Raises:
        ValueError: Names it.
    """
    for name, key in frame[[column, f"{column}_key"]].drop_duplicates().itertuples(index=False):
        if name not in keys:
            raise ValueError(
                f"{path} has rows of {column} {name!r} that no entry-*.json declares; run again"
            )
        if key != keys[name]:
            raise ValueError(
                f"{path} has {column} {name!r} under key {key!r}, the entries say {keys[name]!r}; "
                "the files are of different runs: run again"
            )
