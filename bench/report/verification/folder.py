"""All checks of a run folder, or of one of its entries, from its files alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench.report.coverage import Coverage, partial_coverage
from bench.report.html import report_html
from bench.report.inputs import (
    DISTORTION_COLUMNS,
    PREDICTION_COLUMNS,
    RunData,
    load_run,
    read_parquet,
)
from bench.report.render import render
from bench.report.schema import TableName, row_problems
from bench.report.survival import SurvivalFiles, survival_table
from bench.report.tables import table_texts
from bench.report.verification.cells import (
    cell_problems,
    check_images,
    images_of,
    wanted_cells,
)
from bench.report.verification.entries import read_entry
from bench.report.verification.texts import compare_file
from bench.report.verification.values import distortion_problems, prediction_problems
from bench.report.victims import victims_html
from bench.suites.audit.finding import listed, plural
from bench.verdicts import Verdict

_COLUMNS: dict[TableName, tuple[str, ...]] = {
    "predictions": PREDICTION_COLUMNS,
    "distortion": DISTORTION_COLUMNS,
}
_ROWS = tuple(f"{table}.parquet" for table in _COLUMNS)
_UNCHECKED = {
    "victims.json": "size, cost and training of the networks, which rows cannot tell",
    "failures": "tracebacks of what failed",
    "samples": "sample images, which rows cannot tell",
    "figure3.png": "a picture of the samples",
    "survival.json": "how re-compressed images were scored, which rows cannot tell",
    "survival.svg": "a picture of the survival table",
}


def verify_folder(folder: Path) -> list[Verdict]:
    """Check entries, rows, and every table and report in the folder; nothing is written."""
    paths = sorted(folder.glob("entry-*.json"))
    if not paths:
        finding = f"{folder} holds no entry-*.json; give the --out folder of a finished run"
        return [Verdict(check="entries", verdict="fail", finding=finding)]
    read = [read_entry(path) for path in paths]
    entries = [entry for entry, _ in read if entry is not None]
    verdicts = [verdict for _, verdict in read]
    verdicts += _check_rows(folder, entries, whole=len(entries) == len(paths))
    try:
        run = load_run(folder)
    except ValueError as error:
        verdicts.append(Verdict(check="run", verdict="fail", finding=str(error)))
        return verdicts
    agree = f"entries and rows agree on suite {run.suite}, recipe {run.recipe} and all keys"
    verdicts.append(Verdict(check="run", verdict="ok", finding=agree))
    return [*verdicts, *_check_texts(folder, run), *_check_files(folder, run)]


def verify_entry(path: Path) -> list[Verdict]:
    """Check one entry, and its attack's rows where the Parquet files lie beside it."""
    entry, verdict = read_entry(path)
    if entry is None:
        return [verdict]
    if not all((path.parent / name).is_file() for name in _ROWS):
        beside = f"no {' and '.join(_ROWS)} beside it, so its rows are not checked"
        return [verdict, Verdict(check="rows", verdict="skip", finding=beside)]
    return [verdict, *_check_rows(path.parent, [entry], whole=False)]


def _check_rows(folder: Path, entries: list[dict[str, Any]], *, whole: bool) -> Iterator[Verdict]:
    frames = []
    for name, (table, columns) in zip(_ROWS, _COLUMNS.items(), strict=True):
        try:
            frame = read_parquet(folder / name, columns)
        except ValueError as error:
            yield Verdict(check=name, verdict="fail", finding=str(error))
            continue
        if wrong := row_problems(frame, table):
            yield Verdict(check=name, verdict="fail", finding="; ".join(wrong))
            continue
        frames.append(frame)
    if len(frames) < len(_ROWS) or not entries:
        return
    predictions, distortion = frames
    images = images_of(predictions, distortion)
    yield check_images(images, entries[0]["suite"]["classes"])
    images = images.drop_duplicates("image_id")
    for entry in entries:
        yield _predictions_of(entry, predictions, images)
        yield _distortion_of(entry, distortion, images)
    if whole:
        declared = {entry["attack"]["name"] for entry in entries}
        for name, frame in zip(_ROWS, frames, strict=True):
            strangers = sorted(set(frame["attack"]) - declared)
            if strangers:
                finding = f"surplus rows of attacks without an entry: {listed(strangers)}"
                yield Verdict(check=name, verdict="fail", finding=finding)


def _predictions_of(entry: dict[str, Any], frame: pd.DataFrame, images: pd.DataFrame) -> Verdict:
    attack = entry["attack"]
    rows = frame[frame["attack"] == attack["name"]]
    wanted = wanted_cells(images, entry["suite"]["classes"], targeted=attack["targeted"])
    problems = []
    victims = [victim["name"] for victim in entry["victims"]]
    said, lost = partial_coverage(attack), _failed(entry)
    for victim in entry["victims"]:
        mine, partial = rows[rows["victim"] == victim["name"]], partial_coverage(victim)
        where = f" on {victim['name']}"
        if victim["name"] in lost:
            if len(mine):
                problems.append(f"{plural(len(mine), 'row')}{where}, which the entry says failed")
            continue
        problems += cell_problems(mine, wanted, where, partial=bool(said or partial))
        if said and not partial:
            problems += _other_coverage(mine, wanted, said, where)
    strangers = sorted(set(rows["victim"]) - set(victims))
    if strangers:
        problems.append(f"surplus rows of victims that the entry lacks: {listed(strangers)}")
    problems += prediction_problems(rows, entry) if len(rows) else []
    scored = len(victims) - len(lost)
    whole = f"{plural(len(rows), 'row')}: {scored} victims x {len(wanted)} images and targets"
    return _verdict(f"predictions of {attack['name']}", problems, whole, lost)


def _distortion_of(entry: dict[str, Any], frame: pd.DataFrame, images: pd.DataFrame) -> Verdict:
    attack = entry["attack"]
    rows = frame[frame["attack"] == attack["name"]]
    wanted = wanted_cells(images, entry["suite"]["classes"], targeted=attack["targeted"])
    said, lost = partial_coverage(attack), _failed(entry)
    if rows.empty and len(lost) == len(entry["victims"]):
        return _verdict(f"distortion of {attack['name']}", [], "no row", lost)
    problems = cell_problems(rows, wanted, "", partial=said is not None)
    problems += [*_other_coverage(rows, wanted, said, ""), *distortion_problems(rows, entry)]
    return _verdict(f"distortion of {attack['name']}", problems, plural(len(rows), "row"))


def _other_coverage(
    rows: pd.DataFrame, wanted: pd.MultiIndex, said: Coverage | None, where: str
) -> Iterator[str]:
    """A partial row lacks exactly what its entry says."""
    found = Coverage(scored=len(rows), wanted=len(wanted))
    if said is not None and found != said:
        yield f"the entry says {said}, there are {found}{where}"


def _check_texts(folder: Path, run: RunData) -> Iterator[Verdict]:
    try:
        fresh = table_texts(run)
        if (folder / "report.html").is_file():
            fresh["report.html"] = report_html(run)
        survival = SurvivalFiles(folder)
        if survival.rows.is_file():
            table = survival_table(run)
            fresh |= {path.name: render(table, name) for name, path in survival.texts.items()}
        if (folder / "victims.html").is_file():
            fresh["victims.html"] = victims_html(run)
    except ValueError as error:
        yield Verdict(check="tables", verdict="fail", finding=f"cannot be recomputed: {error}")
        return
    absent = []
    for name, text in fresh.items():
        path = folder / name
        if not path.is_file():
            absent.append(name)
            continue
        try:
            found = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            yield Verdict(check=name, verdict="fail", finding="is no UTF-8 text")
            continue
        yield compare_file(name, found, text)
    if absent:
        yield Verdict(
            check="missing files",
            verdict="warn",
            finding=f"not there, so not compared: {listed(absent, 9)}",
            remedy="`camobench table DIR --write` makes them",
        )


def _check_files(folder: Path, run: RunData) -> Iterator[Verdict]:
    ours = {*_ROWS, *_UNCHECKED, "report.html", "victims.html", "clean_accuracy.csv"}
    stems = ["table2", "table3", "victims", "claims"]
    stems += [f"column-{victim.name}" for victim in run.victims if victim.elsewhere]
    ours |= {path.name for path in SurvivalFiles(folder).all}
    ours |= {f"{stem}.{suffix}" for stem in stems for suffix in ("md", "csv", "tex")}
    found = sorted(path.name for path in folder.iterdir())
    for name in (name for name in found if name in _UNCHECKED):
        yield Verdict(check=name, verdict="skip", finding=f"not checked: {_UNCHECKED[name]}")
    entries = {path.name for path in folder.glob("entry-*.json")}
    surplus = [name for name in found if name not in ours | entries]
    if surplus:
        yield Verdict(
            check="surplus files",
            verdict="warn",
            finding=f"no run writes them, and nothing here speaks for them: {listed(surplus, 9)}",
        )


def _failed(entry: dict[str, Any]) -> list[str]:
    """Victims whose cell of this attack the entry declares as failed."""
    return [str(cell["victim"]) for cell in entry.get("failed", [])]


def _verdict(check: str, problems: list[str], whole: str, lost: Sequence[str] = ()) -> Verdict:
    if lost and not problems:
        finding = f"{whole}; failed, as the entry says: {listed(lost)}"
        return Verdict(check=check, verdict="warn", finding=finding, remedy="run it again")
    return Verdict(
        check=check,
        verdict="fail" if problems else "ok",
        finding="; ".join(problems[:6]) + (" ..." if len(problems) > 6 else "") or whole,
    )
