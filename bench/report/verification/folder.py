"""All checks of a run folder, or of one of its entries, from its files alone."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.outputs import NOTE
from bench.report.html import report_html
from bench.report.inputs import DISTORTION_COLUMNS, PREDICTION_COLUMNS, load_run, read_parquet
from bench.report.records import RunData
from bench.report.render import render
from bench.report.schema import TableName, row_problems
from bench.report.survival import SurvivalFiles, load_survival, survival_table
from bench.report.tables import table_texts
from bench.report.verification.entries import read_entry
from bench.report.verification.recompressed import survival_verdict
from bench.report.verification.rows import row_verdicts
from bench.report.verification.texts import compare_file
from bench.report.victims import victims_html
from bench.verdicts import Verdict
from bench.wording import listed

_COLUMNS: dict[TableName, tuple[str, ...]] = {
    "predictions": PREDICTION_COLUMNS,
    "distortion": DISTORTION_COLUMNS,
}
_ROWS = tuple(f"{table}.parquet" for table in _COLUMNS)
_UNCHECKED = {
    NOTE: "what the folder was made of",
    "victims.json": "size, cost and training of the networks, which rows cannot tell",
    "failures": "tracebacks of what failed",
    "samples": "sample images, which rows cannot tell",
    "figure3.png": "a picture of the samples",
    "calibration.png": "a picture of the suite beside photographs",
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
    verdicts += _check_survival(run, entries)
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
    if len(frames) == len(_ROWS) and entries:
        predictions, distortion = frames
        yield from row_verdicts(predictions, distortion, entries, whole=whole)


def _check_survival(run: RunData, entries: list[dict[str, Any]]) -> Iterator[Verdict]:
    rows = SurvivalFiles(run.directory).rows
    if not rows.is_file():
        return
    try:
        after = load_survival(run)
    except ValueError as error:
        yield Verdict(check=rows.name, verdict="fail", finding=str(error))
        return
    if wrong := row_problems(after, "predictions"):
        yield Verdict(check=rows.name, verdict="fail", finding="; ".join(wrong))
        return
    yield survival_verdict(after, run.predictions, entries)


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
        verdict = compare_file(name, found, text)
        if verdict.verdict == "fail":
            either = "; either it or an entry was edited after the run"
            verdict = replace(verdict, finding=verdict.finding + either)
        yield verdict
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
