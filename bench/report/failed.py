"""How tables show cells that failed: a mark, and a footnote that names the log."""

from collections.abc import Collection, Iterable, Sequence

from bench.report.records import AttackInfo, FailedCell, RunData
from bench.report.values import NA
from bench.wording import plural

FAILED = "failed"
MARK = "§"
MOST_NAMED = 3


def family_texts(
    run: RunData, attack: AttackInfo, families: Sequence[str], texts: Sequence[str]
) -> list[str]:
    """Show the holes in one measure's cells.

    Args:
        run: Says who failed.
        attack: Of this row.
        families: Of victims.
        texts: Formatted cells of the families, then of their mean.

    Returns:
        The same, "failed" where no victim of a family is left, marked where some are missing.
    """
    lost = {cell.victim for cell in attack.failed}
    gone = {name: [v in lost for v, f in run.families.items() if f == name] for name in families}
    shown = [_shown(text, gone[name]) for name, text in zip(families, texts, strict=False)]
    if FAILED in shown:
        return [*shown, FAILED]
    return [*shown, _shown(texts[-1], [any(gone[name]) for name in families])]


def _shown(text: str, gone: Sequence[bool]) -> str:
    if not any(gone):
        return text
    if text == NA:
        return FAILED
    return f"{text} {MARK}"


def failure_notes(run: RunData, attacks: Collection[str] | None = None) -> Iterable[str]:
    """What failed and why, with the cells that it cost.

    Args:
        run: Says who failed.
        attacks: Whose cells count; all by default.
    """
    causes: dict[tuple[str, str], list[tuple[str, FailedCell]]] = {}
    for (attack, _), cell in run.failed.items():
        if attacks is None or attack in attacks:
            causes.setdefault((cell.who, cell.reason), []).append((attack, cell))
    for (who, reason), cells in causes.items():
        names = _some("attacks", [attack for attack, _ in cells])
        victims = _some("victims", [cell.victim for _, cell in cells])
        logs = list(dict.fromkeys(cell.log for _, cell in cells))
        more = f" and {len(logs) - 1} more" if len(logs) > 1 else ""
        yield f"{MARK} {who} failed: {reason}. No {names} on {victims}; see {logs[0]}{more}."
    for attack, one in run.unmeasured:
        if attacks is None or attack in attacks:
            yield f"{one.who} failed: {one.reason}. No {one.what} of {attack}; see {one.log}."


def _some(what: str, names: Sequence[str]) -> str:
    each = list(dict.fromkeys(names))
    return ", ".join(each) if len(each) <= MOST_NAMED else f"{len(each)} {what}"


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"


def failed_cells(run: RunData) -> str:
    """All that failed in one line, for the command line; "" where nothing did."""
    cells = [f"{attack} on {victim}" for attack, victim in run.failed]
    others = [f"{one.what} of {attack}" for attack, one in run.unmeasured]
    if not (cells or others):
        return ""
    parts = [f"{plural(len(cells), 'cell')} failed: {_first(cells)}"] if cells else []
    parts += [f"missing: {_first(others)}"] if others else []
    return (
        f"{'; '.join(parts)}; tracebacks are in {run.directory / 'failures'}, "
        "the same command tries again"
    )
