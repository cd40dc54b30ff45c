"""A table file against the same table made anew: its numbers, then its words.

Rows must match to the digit. Notes, captions and headings are words that a later version may put
otherwise; but a sentence that stays and holds another number is a changed number, and one that
holds a percentage or decibels that nothing recomputed has is no rewording. What a reader's browser
or TeX would run has no place in a table.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.verdicts import Verdict
from bench.wording import plural

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_MEASURED = re.compile(r"(\d+(?:[.,]\d+)*)[\s~\\]*(?:%|dB)")
_PICTURE = re.compile(r"data:[^\"')\s]+")
_STYLE = re.compile(r"<style\b[^>]*>.*?</style>", re.DOTALL | re.IGNORECASE)
_ACTIVE = {
    "html": re.compile(
        r"<script\b.*?(?:</script>|$)|<(?:iframe|object|embed|form|base|link|meta)\b[^>]*>"
        r"|\son\w+\s*=|javascript:",
        re.DOTALL | re.IGNORECASE,
    ),
    "tex": re.compile(r"\\[A-Za-z@]+"),
    "md": re.compile(r"<[A-Za-z/!][^>]*>|\]\([^)]*\)"),
}
"""What is run, loaded or followed, by the kind of file."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """A file's tables (rows of cells each), its other lines, its pictures and style sheets."""

    tables: tuple[tuple[tuple[str, ...], ...], ...]
    words: tuple[str, ...]
    pictures: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()


def compare_file(name: str, found: str, fresh: str) -> Verdict:
    """Judge a file's text by the text that today's code makes of the same rows.

    Args:
        name: File name; its suffix says how it is read: csv, md, tex, html.
        found: What the file holds.
        fresh: What it would hold if it was written now.
    """
    if found == fresh:
        return Verdict(check=name, verdict="ok", finding="recomputed, the same to the byte")
    if name.endswith(".csv"):
        return _compare_csv(name, found, fresh)
    kind = name.rpartition(".")[2]
    allowed = set(_ACTIVE[kind].findall(fresh))
    foreign = [one for one in _ACTIVE[kind].findall(found) if one not in allowed]
    if foreign:
        return _fail(name, f"holds what no version writes: {_short(foreign[0].strip())!r}")
    parts = {"md": _markdown, "tex": _latex, "html": _html}[kind]
    old, new = parts(found), parts(fresh)
    strange = [table for table in old.tables if table not in new.tables]
    if strange:
        return _fail(name, _first_difference(strange[0], new.tables))
    changed = changed_numbers(old.words, new.words)
    if changed:
        return _fail(name, f"a number outside the tables differs: {changed[0]}")
    invented = _invented(old.words, fresh)
    if invented:
        return _fail(name, f"a sentence has a number that is not recomputed: {invented[0]!r}")
    what = []
    if len(old.tables) < len(new.tables):
        lacking = plural(len(new.tables) - len(old.tables), "table")
        what.append(f"{lacking} of today's code not in it")
    gone = list((Counter(old.words) - Counter(new.words)).elements())
    come = list((Counter(new.words) - Counter(old.words)).elements())
    if gone or come:
        shown = f": {_short(gone[0])!r}" if gone else ""
        now = f", now {_short(come[0])!r}" if come else ""
        what.append(f"{plural(max(len(gone), len(come)), 'line')} of text changed{shown}{now}")
    if old.styles != new.styles:
        what.append("its style sheet differs, which may hide what it holds")
    if not what:
        drawn = old.pictures != new.pictures
        what.append("only pictures differ" if drawn else "only spacing or order differs")
    return Verdict(
        check=name,
        verdict="warn",
        finding=f"all numbers of its tables are the same; {'; '.join(what)}",
        remedy="`camobench table DIR --write` words it anew",
    )


def changed_numbers(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Lines of `old` that `new` has word for word, with other numbers."""
    fresh = Counter(new) - Counter(old)
    worded: dict[str, str] = {_NUMBER.sub("#", line): line for line in fresh}
    stale = Counter(old) - Counter(new)
    return [
        f"{_short(line)!r}, recomputed {_short(worded[masked])!r}"
        for line in stale
        if (masked := _NUMBER.sub("#", line)) in worded and "#" in masked
    ]


def _invented(old: Sequence[str], fresh: str) -> list[str]:
    known = set(_NUMBER.findall(fresh))
    return [_short(line) for line in old if any(n not in known for n in _MEASURED.findall(line))]


def _compare_csv(name: str, found: str, fresh: str) -> Verdict:
    lines = list(csv.reader(io.StringIO(found)))
    header = lines[0] if lines else []
    if len(set(header)) < len(header):
        return _fail(name, "has a column twice")
    uneven = next((place for place, line in enumerate(lines) if len(line) != len(header)), None)
    if uneven is not None:
        return _fail(name, f"row {uneven} has {len(lines[uneven])} cells, not {len(header)}")
    old, new = (list(csv.DictReader(io.StringIO(text))) for text in (found, fresh))
    had, has = set(header), set(next(csv.reader(io.StringIO(fresh)), ()))
    if had - has:
        return _fail(name, f"has columns that no version writes: {', '.join(sorted(had - has))}")
    if len(old) != len(new):
        return _fail(name, f"has {len(old)} rows, recomputed {len(new)}")
    for place, (one, other) in enumerate(zip(old, new, strict=True), start=1):
        for column in had:
            if one[column] != other[column]:
                return _fail(
                    name,
                    f"row {place} ({next(iter(one.values()))}, {_row_name(one)}), {column}: "
                    f"{one[column]!r}, recomputed {other[column]!r}",
                )
    lacking = sorted(has - had)
    missing = f"lacks the columns {', '.join(lacking)}" if lacking else "only spacing differs"
    return Verdict(
        check=name,
        verdict="warn",
        finding=f"all numbers that it holds are the same; {missing}",
        remedy="`camobench table DIR --write` writes it anew",
    )


def _row_name(row: dict[str, str]) -> str:
    return next((row[name] for name in ("attack", "victim", "claim") if name in row), "unnamed")


def _first_difference(
    table: tuple[tuple[str, ...], ...], fresh: Sequence[tuple[tuple[str, ...], ...]]
) -> str:
    """The first row of a table that the most similar of the fresh ones does not have."""
    if not fresh:
        return "has a table where none is recomputed"
    nearest = max(fresh, key=lambda other: len(set(other) & set(table)))
    for row in table:
        if row not in nearest:
            twin = next((other for other in nearest if other[:1] == row[:1]), None)
            if twin is None or len(twin) != len(row):
                return f"has the row {_short(' | '.join(row))!r}, which is not recomputed"
            cells = [(a, b) for a, b in zip(row, twin, strict=True) if a != b]
            return f"row {row[0]!r}: {cells[0][0]!r}, recomputed {cells[0][1]!r}"
    absent = next((row for row in nearest if row not in table), None)
    if absent is None:
        return "has its rows in another order than the recomputed table"
    return f"lacks the row {_short(' | '.join(absent))!r}"


def _markdown(text: str) -> Parts:
    tables: list[tuple[tuple[str, ...], ...]] = []
    rows: list[tuple[str, ...]] | None = None
    words = []
    for line in text.splitlines():
        if line.startswith("|:") or line.startswith("|-"):
            rows = []
        elif line.startswith("|") and rows is not None:
            rows.append(tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]))
        else:
            if rows is not None:
                tables.append(tuple(rows))
                rows = None
            words.append(_spaced(line))
    if rows is not None:
        tables.append(tuple(rows))
    return Parts(tables=tuple(tables), words=_filled(words))


def _latex(text: str) -> Parts:
    tables: list[tuple[tuple[str, ...], ...]] = []
    rows: list[tuple[str, ...]] | None = None
    words = []
    for line in text.splitlines():
        if line == r"\midrule" and rows is None:
            rows = []
        elif line == r"\bottomrule" and rows is not None:
            tables.append(tuple(rows))
            rows = None
        elif rows is not None:
            cells = line.removesuffix(r"\\").strip().removesuffix(r"\\")
            rows.append(tuple(cell.strip() for cell in re.split(r"(?<!\\)&", cells)))
        else:
            words.append(_spaced(line))
    return Parts(tables=tuple(tables), words=_filled(words))


def _html(text: str) -> Parts:
    pictures = tuple(_PICTURE.findall(text))
    bare = _STYLE.sub("", _PICTURE.sub("", text))
    tables = tuple(
        tuple(
            tuple(_untagged(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL))
            for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)
        )
        for body in re.findall(r"<tbody>(.*?)</tbody>", bare, re.DOTALL)
    )
    rest = re.sub(r"<tbody>.*?</tbody>", "", bare, flags=re.DOTALL)
    blocks = re.sub(r"</(?:p|li|dd|dt|div|h\d|th|figcaption|summary|title|span)>", "\n\n", rest)
    return Parts(
        tables=tables,
        words=_filled([_untagged(block) for block in blocks.split("\n\n")]),
        pictures=pictures,
        styles=tuple(_STYLE.findall(text)),
    )


def _untagged(text: str) -> str:
    return _spaced(re.sub(r"<[^>]+>", " ", text))


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _filled(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line)


def _short(text: str, most: int = 90) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _fail(name: str, finding: str) -> Verdict:
    return Verdict(check=name, verdict="fail", finding=finding)
