"""Load what a run wrote (Parquet, `entry-*.json`, samples) and refuse what does not fit together.

Entries of different suites, recipes, scorers or LPIPS versions never share a table.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pandas as pd

from bench.metrics.validity import check_predictions
from bench.report.coverage import PARTIAL, partial_coverage
from bench.report.foreign import family_of, is_foreign
from bench.report.parquet import read_limited
from bench.report.records import (
    NO_NETWORK,
    AttackInfo,
    FailedCell,
    RunData,
    Suspected,
    Unmeasured,
    VictimInfo,
)
from bench.report.samples import load_samples
from bench.report.schema import table_columns

ENTRY_SCHEMA = 1
PREDICTION_COLUMNS = table_columns("predictions")
DISTORTION_COLUMNS = table_columns("distortion")
MOST_ROWS = 50_000_000
"""Five times those of twenty attacks on sixteen victims, 2500 images and twelve targets."""


def load_run(directory: str | Path) -> RunData:
    """Read and check everything a report needs.

    Raises:
        ValueError: If a file is missing, unreadable, from another schema, or disagrees with
            another; the message names the file and the remedy.
    """
    folder = Path(directory)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; give the --out folder of a run")
    entries = [(path, _entry(path)) for path in sorted(folder.glob("entry-*.json"))]
    if not entries:
        raise ValueError(f"{folder} holds no entry-*.json; give the --out folder of a finished run")
    predictions = read_parquet(folder / "predictions.parquet", PREDICTION_COLUMNS)
    distortion = read_parquet(folder / "distortion.parquet", DISTORTION_COLUMNS)
    try:
        return _assemble(folder, entries, predictions, distortion)
    except KeyError as error:
        raise ValueError(
            f"an entry-*.json in {folder} lacks {error}; write the entries anew with this version"
        ) from error


def _assemble(
    folder: Path,
    entries: list[tuple[Path, dict[str, Any]]],
    predictions: pd.DataFrame,
    distortion: pd.DataFrame,
) -> RunData:
    suites = [entry["suite"] for _, entry in entries]
    for what, values in {
        "suite": [suite["name"] for suite in suites],
        "suite fingerprint": [suite["fingerprint"] for suite in suites],
        "suite classes": [suite["classes"] for suite in suites],
        "recipe": [entry["recipe"] for _, entry in entries],
        "seed": [entry["seed"] for _, entry in entries],
        "scorer_version": [entry["scorer_version"] for _, entry in entries],
        "LPIPS version": [lpips_version(entry) for _, entry in entries],
    }.items():
        _agree(what, values, entries)
    attacks = tuple(_attack(entry) for _, entry in entries)
    _require_own_labels(folder, attacks)
    victims = _victims(entries)
    _match_keys(predictions, "predictions.parquet", "attack", {a.name: a.key for a in attacks})
    _match_keys(distortion, "distortion.parquet", "attack", {a.name: a.key for a in attacks})
    _match_keys(predictions, "predictions.parquet", "victim", {v.name: v.key for v in victims})
    for name, frame in (("predictions", predictions), ("distortion", distortion)):
        if set(frame["suite"]) - {suites[0]["name"]}:
            raise ValueError(
                f"{folder / name}.parquet has rows of {sorted(set(frame['suite']))}, the entries "
                f"are of {suites[0]['name']!r}; keep one suite in a folder"
            )
    if (predictions.groupby("photo_id")["device"].nunique() > 1).any():
        raise ValueError(
            f"{folder / 'predictions.parquet'}: one `photo_id` belongs to two devices, so "
            "intervals would be wrong; make photo_id unique in the suite"
        )
    check_predictions(predictions)
    _require_probabilities(predictions, victims)
    inside = predictions.loc[predictions["split"] == "in", "source"]
    strangers = (set(inside) | set(predictions["target"].dropna())) - set(suites[0]["classes"])
    if strangers:
        raise ValueError(
            f"{folder / 'predictions.parquet'}: {sorted(strangers)} are no classes of the suite; "
            "labels are the camera names that the entries list: run again"
        )
    audits = [suite.get("audit") for suite in suites]
    return RunData(
        directory=folder,
        predictions=predictions,
        distortion=distortion,
        attacks=attacks,
        victims=victims,
        samples=load_samples(folder / "samples"),
        suite=suites[0]["name"],
        fingerprint=suites[0]["fingerprint"],
        classes=tuple(suites[0]["classes"]),
        suite_notes=_unique(suite.get("note") for suite in suites),
        audit=None if None in audits else "; ".join(_unique(a["verdict"] for a in audits)),
        recipe=entries[0][1]["recipe"],
        seeds=tuple(sorted({entry["seed"] for _, entry in entries})),
        scorer_version=entries[0][1]["scorer_version"],
        lpips_version=lpips_version(entries[0][1]),
    )


def _entry(path: Path) -> dict[str, Any]:
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not readable JSON ({error}); run its attack again") from error
    schema = entry.get("schema") if isinstance(entry, dict) else None
    if schema != ENTRY_SCHEMA:
        remedy = (
            "update camobench" if isinstance(schema, int) and schema > ENTRY_SCHEMA else "run again"
        )
        raise ValueError(
            f"{path} has schema {schema!r}, this version reads {ENTRY_SCHEMA}; {remedy}"
        )
    return cast(dict[str, Any], entry)


def lpips_version(entry: dict[str, Any]) -> str:
    """Version, network and weights of the LPIPS of an entry."""
    lpips = entry["lpips"]
    return f"{lpips['version']}, {lpips['net']} ({lpips['trunk_sha256'][:8]})"


def read_parquet(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read these columns of a Parquet file of a run.

    Raises:
        ValueError: If it is missing, unreadable, larger than any run's, or lacks one of
            `columns`; names the remedy.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing; run the same command again to complete the folder")
    try:
        frame, names = read_limited(path, columns, rows=MOST_ROWS)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is not readable Parquet ({error}); run again") from error
    missing = [name for name in columns if name not in names]
    if missing:
        raise ValueError(f"{path} lacks the columns {missing}; run again with this version")
    return frame


def _attack(entry: dict[str, Any]) -> AttackInfo:
    attack = entry["attack"]
    partial = partial_coverage(attack)
    label = attack.get("label") or attack["name"]
    return AttackInfo(
        name=attack["name"],
        key=attack["key"],
        label=f"{label} {PARTIAL}" if partial else label,
        targeted=attack["targeted"],
        control=attack["control"],
        laac=tuple(attack["laac"]),
        scfa=attack["scfa"],
        # Entries of before the field hold the eight rows and controls alone.
        paper_row=attack.get("paper_row", not attack.get("preliminary", False))
        and not is_foreign(attack),
        preliminary=attack.get("preliminary", False),
        paper=attack.get("paper") or "",
        licence=attack.get("licence") or "",
        provenance=entry["provenance"],
        partial=partial,
        failed=tuple(
            FailedCell(**{name: cell[name] for name in ("victim", "who", "reason", "log")})
            for cell in entry.get("failed", [])
        ),
        unmeasured=tuple(
            Unmeasured(**{name: one[name] for name in ("what", "who", "reason", "log")})
            for one in entry.get("unmeasured", [])
        ),
        suspicions=tuple(
            Suspected(**{name: one[name] for name in ("victim", "kind", "finding")})
            for one in entry.get("suspicions", [])
        ),
        digest=attack.get("digest") or "",
        not_covered=_not_covered(attack),
    )


def _not_covered(record: dict[str, Any]) -> tuple[str, ...]:
    return tuple(record.get("plug_in", {}).get("not_covered", ()))


def _require_own_labels(folder: Path, attacks: tuple[AttackInfo, ...]) -> None:
    names = {attack.name for attack in attacks}
    for attack in attacks:
        shown = attack.label.removesuffix(PARTIAL).strip()
        if shown != attack.name and shown in names:
            raise ValueError(
                f"{folder / f'entry-{attack.name}.json'}: the label {shown!r} is another attack's "
                "name; choose another label"
            )


def _victims(entries: list[tuple[Path, dict[str, Any]]]) -> tuple[VictimInfo, ...]:
    found: dict[str, VictimInfo] = {}
    for path, entry in entries:
        for record in entry["victims"]:
            victim = VictimInfo(
                **{field: record[field] for field in ("name", "key", "backbone")},
                family=family_of(record),
                partial=partial_coverage(record),
                labels_only=record.get("labels_only", False),
                elsewhere="predictions_sha256" in record,
                digest=record.get("digest") or "",
                precision=record.get("precision") or "fp32",
                not_covered=_not_covered(record),
            )
            first = found.setdefault(victim.name, victim)
            if first.digest == NO_NETWORK:
                first = found[victim.name] = replace(first, digest=victim.digest)
            if victim.digest == NO_NETWORK:
                victim = replace(victim, digest=first.digest)
            if first != victim:
                raise ValueError(
                    f"{path}: victim {victim.name!r} differs from the one in an earlier entry "
                    "(another recipe, seed or precision?); keep one of each in a folder"
                )
    return tuple(found.values())


def _require_probabilities(predictions: pd.DataFrame, victims: tuple[VictimInfo, ...]) -> None:
    stated = predictions.groupby("victim")["p_predicted"].count()
    for victim in victims:
        if bool(stated.get(victim.name, 1)) == victim.labels_only:
            raise ValueError(
                f"victim {victim.name!r} {'has' if victim.labels_only else 'lacks'} probabilities, "
                "which its entry contradicts; score it anew"
            )


def _agree(what: str, values: list[Any], entries: list[tuple[Path, dict[str, Any]]]) -> None:
    for value, (path, _) in zip(values, entries, strict=True):
        if value != values[0]:
            raise ValueError(
                f"{path} has {what} {value!r}, {entries[0][0].name} has {values[0]!r}; such "
                "entries never share a table: run them anew, or keep them in folders of their own"
            )


def _match_keys(frame: pd.DataFrame, file: str, column: str, keys: dict[str, str]) -> None:
    pairs = frame[[column, f"{column}_key"]].drop_duplicates()
    for name, key in pairs.itertuples(index=False):
        if name not in keys:
            raise ValueError(
                f"{file} has rows of {column} {name!r} that no entry-*.json declares; run again"
            )
        if key != keys[name]:
            raise ValueError(
                f"{file} has {column} {name!r} under key {key!r}, its entry says {keys[name]!r}; "
                "the files are of different runs: run again"
            )


def _unique(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
