"""One answer to a challenge from a path to a finished folder: check everything, then score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.contract import ATTACKS, VICTIMS, AttackSpec, VictimSpec
from bench.records.participants import Coverage
from bench.runner.api import Request
from bench.runner.challenge.column import checked_predictions, predictions_spec, score_predictions
from bench.runner.challenge.problems import Problems
from bench.runner.challenge.score import checked_images, images_spec, score_images
from bench.runner.challenge.tables import is_table
from bench.store import Store
from bench.types import Progress, WrongUsageError


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of an answer.

    Attributes:
        summary: One line on what there was.
        problems: All that is wrong with it.
        refused: Whether something in it forbids scoring.
        scored: Whether it was scored.
        coverage: How much of what the protocol scores there is.
    """

    summary: str
    problems: Problems
    refused: bool
    scored: bool
    coverage: Coverage


def is_predictions(answer: Path) -> bool:
    """Whether an answer is a table of predictions; else it is a folder or archive of images."""
    return answer.is_file() and is_table(answer)


def score_answer(
    answer: Path,
    name: str,
    request: Request,
    store: Store,
    out: Path,
    *,
    described: Mapping[str, Any],
    dry_run: bool = False,
    without_bad: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """Check an answer, and score it if nothing forbids that.

    Args:
        answer: Folder or zip of images, CSV or Parquet of predictions.
        name: Of the row or column.
        request: Suite, recipe, device, and what stands beside it.
        store: That the challenge was exported from.
        out: Where the results go, as those of `run`.
        described: Further fields of its spec.
        dry_run: Only check; refuses what scoring would refuse.
        without_bad: Score images although some files are refused.
        progress: Told how far it is.

    Raises:
        WrongUsageError: If the name is taken or not kebab-case, or the answer is not there or of no
            known type.
        CamobenchError: If the answer is to no challenge of the store, or scoring fails.
    """
    if not answer.exists():
        raise WrongUsageError(f"there is no file or folder {answer}; check the path")
    predictions = is_predictions(answer)
    _require_new(name, "victim" if predictions else "attack", described.get("label", ""))
    if predictions:
        table = checked_predictions(answer, request, store, progress)
        answered = table.answered
        refused = bool(answered.problems.of("error"))
        if not refused:
            column = predictions_spec(table, name, **described)
            score_predictions(table, column, store, out, progress, dry_run=dry_run)
        return Outcome(
            summary=answered.summary,
            problems=answered.problems,
            refused=refused,
            scored=not (refused or dry_run),
            coverage=table.coverage,
        )
    with checked_images(answer, request, store, progress) as checked:
        refused = bool(checked.intake.problems.of("error")) and not without_bad
        if not refused:
            row = images_spec(checked, name, **described)
            score_images(checked, row, request, store, out, progress, dry_run=dry_run)
        return Outcome(
            summary=checked.intake.summary,
            problems=checked.intake.problems,
            refused=refused,
            scored=not (refused or dry_run),
            coverage=checked.coverage,
        )


def _require_new(name: str, kind: str, label: str) -> None:
    try:
        VictimSpec(name=name) if kind == "victim" else AttackSpec(name=name)
    except ValueError as error:
        raise WrongUsageError(f"--name: {error}") from error
    if name in (VICTIMS if kind == "victim" else ATTACKS):
        raise WrongUsageError(f"there is {kind} {name!r} already; choose another --name")
    if label != name and label in ATTACKS:
        raise WrongUsageError(f"--label: {label!r} is the name of another attack; choose another")
