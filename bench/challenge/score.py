"""One answer to a challenge from a path to a finished folder: check everything, then score.

Nobody's code is run. An answer becomes what a run would have made, so that the rest of the matrix,
the entries and the tables treat it as any other row or column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.challenge.findings import Findings
from bench.challenge.images import ImagesAnswer, check_images_answer
from bench.challenge.prediction_checks import is_table
from bench.challenge.predictions import PredictionsAnswer, check_predictions_answer
from bench.contract import ATTACKS, REGISTRIES, AttackSpec, VictimSpec
from bench.plan.request import RESULTS, Request, evaluate_run, open_session
from bench.records.participants import Coverage
from bench.records.run import RunData
from bench.registry import Entry
from bench.store import Store
from bench.store.outputs import require_own
from bench.types import CamobenchError, Progress, Silent, WrongUsageError


@dataclass(frozen=True, kw_only=True)
class ScoredAnswer:
    """What became of an answer.

    Attributes:
        summary: One line on what there was.
        refused: Whether something in it forbids scoring.
        run: What came of scoring it; `None` where it was not scored.
        coverage: How much of what the protocol scores there is.
    """

    summary: str
    findings: Findings
    refused: bool
    run: RunData | None
    coverage: Coverage


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
) -> ScoredAnswer:
    """Check an answer, a path to images or predictions, and score it if nothing forbids that.

    `described` are further fields of its spec. `dry_run` refuses what scoring would refuse;
    `without_bad` leaves out images that are refused.

    Raises:
        WrongUsageError: If the name is taken or not kebab-case, or the answer is not there or of no
            known type.
        CamobenchError: If the answer is to no challenge of the store, or scoring fails.
    """
    if not answer.exists():
        raise WrongUsageError(f"there is no file or folder {answer}; check the path")
    progress, predictions = progress or Silent(), is_table(answer)
    _require_new(name, "victim" if predictions else "attack", described.get("label", ""))
    check = check_predictions_answer if predictions else check_images_answer
    with check(answer, request, store, progress) as answered:
        checked, run = answered.checked, None
        refused = bool(checked.findings.of("error")) and not without_bad
        if not refused:
            run = _score(answered, name, store, out, described, progress, dry_run=dry_run)
        return ScoredAnswer(
            summary=checked.summary,
            findings=checked.findings,
            refused=refused,
            run=run,
            coverage=answered.coverage,
        )


def _score(
    answer: ImagesAnswer | PredictionsAnswer,
    name: str,
    store: Store,
    out: Path,
    described: Mapping[str, Any],
    progress: Progress,
    *,
    dry_run: bool,
) -> RunData | None:
    if not answer.coverage.scored:
        raise CamobenchError(
            "nothing that is scored was answered: it holds no image that could be scored, or no "
            "row; do as the README of the challenge says"
        )
    entry: Entry[Any, Any] = answer.entry(name, store, **described)
    request, kind = answer.request, "attack" if isinstance(answer, ImagesAnswer) else "victim"
    if kind == "attack":
        request = replace(request, attacks=(name, *request.attacks))
    else:
        request = replace(request, victims=(name, *request.victims))
    with REGISTRIES[kind].during(entry):
        if not request.victims:
            raise CamobenchError("no victim to score with; name some with --victims, or `all`")
        session = open_session(request, store, progress)
        require_own(out, RESULTS, session.request.made_of(out))
        if isinstance(answer, PredictionsAnswer):
            answer.require_scorable(session)
        if dry_run:
            return None
        answer.keep(session, entry.spec)
        return evaluate_run(request, store, out, progress)


def _require_new(name: str, kind: str, label: str) -> None:
    try:
        VictimSpec(name=name) if kind == "victim" else AttackSpec(name=name)
    except ValueError as error:
        raise WrongUsageError(f"--name: {error}") from error
    if name in REGISTRIES[kind]:
        raise WrongUsageError(f"there is {kind} {name!r} already; choose another --name")
    if label != name and label in ATTACKS:
        raise WrongUsageError(f"--label: {label!r} is the name of another attack; choose another")
