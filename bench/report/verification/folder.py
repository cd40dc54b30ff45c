"""All checks of a run folder, or of one of its entries, from its files alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile, zip_longest
from pathlib import Path

import pandas as pd

from bench.records.entry import Entry, read_entry
from bench.records.frames import TableName
from bench.records.load import CONDITIONS, TABLES, assemble, entry_paths, read_table
from bench.records.run import RunData
from bench.report.detection.scores import ROWS as SCORES
from bench.report.detection.scores import detection_rows, headline_aucs
from bench.report.linkage import ROWS as LINKS
from bench.report.linkage import linkage_rows, links
from bench.report.pages.report import SOME_HAVE, report_html, victims_html
from bench.report.tables.paper import run_texts
from bench.report.verification.rows import row_verdicts
from bench.store.outputs import NOTE
from bench.verdicts import Verdict
from bench.wording import listed, plural

_UNCHECKED = (NOTE, "victims.json", "failures", "samples")
_PICTURES = ("figure3.png", "calibration.png", "cameras.png", "curves.svg", "survival.svg")
_PICTURE = re.compile(r"data:[^\"')\s]+")
"""What libraries draw, each version a little otherwise."""
_BESIDE, _SHOWN = 24, 72


def verify_folder(folder: Path) -> list[Verdict]:
    """Check entries, rows, and every table and report in the folder; nothing is written."""
    run, verdicts = check_rows(folder)
    if run is not None:
        verdicts += _check_files(run)
    return verdicts


def check_rows(folder: Path) -> tuple[RunData | None, list[Verdict]]:
    """A run, if its entries and rows fit together at all, and what is to be said of these."""
    try:
        paths = entry_paths(folder)
    except ValueError as error:
        return None, [Verdict("entries", "fail", str(error))]
    read = [entry_verdict(path) for path in paths]
    entries, verdicts = [one for one, _ in read if one], [verdict for _, verdict in read]
    frames, wrong = _read_tables(folder)
    verdicts += wrong
    whole = len(entries) == len(paths)
    if entries and not wrong:
        verdicts += row_verdicts(frames, entries)
    run, finding = None, "entries or rows cannot be read, so that nothing can be recomputed"
    if whole and not wrong:
        try:
            run = assemble(folder, tuple(entries), frames)
        except ValueError as error:
            finding = str(error)
        else:
            where = f"suite {run.suite}, recipe {run.recipe}"
            finding = f"entries and rows agree on {where} and all keys"
    verdicts.append(Verdict("run", "ok" if run else "fail", finding))
    if run is not None:
        verdicts += _check_measured(run)
    return run, verdicts


def _check_measured(run: RunData) -> Iterator[Verdict]:
    measured = (SCORES, detection_rows, headline_aucs), (LINKS, linkage_rows, links)
    for name, read, figures_of in measured:
        if (run.directory / name).is_file():
            try:
                rows, _ = read(run), figures_of(run)
            except ValueError as error:
                yield Verdict(name, "fail", str(error))
            else:
                yield Verdict(name, "ok", f"{len(rows)} rows, of the entries' attacks")


def verify_entry(path: Path) -> list[Verdict]:
    """Check one entry, and its attack's rows where the Parquet files lie beside it."""
    entry, verdict = entry_verdict(path)
    if entry is None:
        return [verdict]
    files = [f"{table}.parquet" for table in TABLES]
    if not all((path.parent / name).is_file() for name in files):
        beside = f"no {' and '.join(files)} beside it, so its rows are not checked"
        return [verdict, Verdict("rows", "skip", beside)]
    frames, wrong = _read_tables(path.parent)
    rows = list[Verdict]()
    if not wrong:
        rows += row_verdicts(frames, [entry])
    return [verdict, *wrong, *rows]


def entry_verdict(path: Path) -> tuple[Entry | None, Verdict]:
    """An entry and what is to be said of it; `None` where it cannot be used at all."""
    try:
        entry = read_entry(path)
    except ValueError as error:
        return None, Verdict(path.name, "fail", str(error).removeprefix(f"{path} "))
    count, lost = len(entry.victims), len(entry.failed)
    states = [f"{lost} of {plural(count, 'cell')} failed"] if lost else []
    if entry.attack.partial:
        states.append(f"partial, {entry.attack.partial}")
    finding = (
        f"{', '.join(states) or 'complete'}: attack {entry.attack.key}, {plural(count, 'victim')}, "
        f"suite {entry.suite.name}, recipe {entry.recipe}"
    )
    return entry, Verdict(path.name, "ok", finding)


def _read_tables(folder: Path) -> tuple[dict[TableName, pd.DataFrame], list[Verdict]]:
    """The tables, and what keeps them from being read."""
    frames, verdicts = {}, []
    for table in (*TABLES, *CONDITIONS):
        try:
            frames[table] = read_table(folder, table)
        except ValueError as error:
            path = folder / f"{table}.parquet"
            verdicts.append(Verdict(path.name, "fail", str(error).removeprefix(f"{path}: ")))
    return frames, verdicts


def _check_files(run: RunData) -> Iterator[Verdict]:
    """Every text against the same text made anew; and what nobody can check."""
    folder = run.directory
    found = sorted(path.name for path in folder.iterdir())
    try:
        fresh = run_texts(run)
        stale = set[str]()
        for table in SOME_HAVE:
            texts = table.texts(run)
            fresh |= texts
            if not texts:
                stale |= {f"{table.stem}.{suffix}" for suffix in ("md", "csv", "tex")}
        if "report.html" in found:
            fresh["report.html"] = report_html(run)
        if "victims.html" in found:
            fresh["victims.html"] = victims_html(run)
    except ValueError as error:
        yield Verdict("tables", "fail", f"cannot be recomputed: {error}")
        return
    for name in (name for name in fresh if name in found):
        yield compare_file(folder / name, fresh[name])
    if absent := [name for name in fresh if name not in found]:
        finding = f"not there, so not compared: {listed(absent, 9)}"
        yield Verdict("missing files", "warn", finding, "`camobench table DIR --write` makes them")
    if beside := [name for name in found if name in (*_UNCHECKED, *_PICTURES)]:
        yield Verdict("beside", "skip", f"rows cannot tell, so not checked: {listed(beside, 10)}")
    ours = {*fresh, *_UNCHECKED, *_PICTURES, SCORES, LINKS}
    ours |= {f"{table}.parquet" for table in (*TABLES, *CONDITIONS)}
    ours |= {f"entry-{attack.name}.json" for attack in run.attacks}
    for name in stale & {*found}:
        yield Verdict(name, "fail", "the rows give no such table; it is of other rows")
    if surplus := [name for name in found if name not in ours | stale]:
        finding = f"no run writes them, and nothing here speaks for them: {listed(surplus, 9)}"
        yield Verdict("surplus files", "warn", finding)


def compare_file(path: Path, fresh: str) -> Verdict:
    """Judge a file by the text that today's code makes of the same rows."""
    try:
        found = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return Verdict(path.name, "fail", "is no UTF-8 text")
    if found == fresh:
        return Verdict(path.name, "ok", "recomputed, the same to the byte")
    old, new = (_PICTURE.sub("", text) for text in (found, fresh))
    if old == new:
        finding = "all it says is the same; only pictures differ"
        return Verdict(path.name, "warn", finding, "`camobench table DIR --write` draws them anew")
    lines = (text.splitlines(keepends=True) for text in (old, new))
    pairs = enumerate(zip_longest(*lines, fillvalue=""), 1)
    number, two = next((number, two) for number, two in pairs if two[0] != two[1])
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*two, strict=False)))
    said, right = (repr(one[max(0, alike - _BESIDE) :][:_SHOWN]) for one in two)
    return Verdict(
        path.name,
        "fail",
        f"line {number} has {said}, recomputed {right}; either it or an entry was edited after the "
        "run, or other code wrote it",
        "`camobench table DIR --write` writes it anew",
    )
