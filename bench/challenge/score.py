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
from bench.challenge.images import check_images_answer
from bench.challenge.prediction_checks import is_table
from bench.challenge.predictions import PredictionsAnswer, check_predictions_answer
from bench.contract import ATTACKS, REGISTRIES, AttackSpec, VictimSpec
from bench.plan.graph import missing_jobs
from bench.plan.request import RESULTS, Request, evaluate_run, open_session
from bench.records.participants import Coverage
from bench.records.run import RunData
from bench.registry import Entry
from bench.store import Store
from bench.store.outputs import require_own
from bench.types import SILENT, CamobenchError, Progress, WrongUsageError


@dataclass(frozen=True, kw_only=True)
class ScoredAnswer:
    """What became of an answer.

    Attributes:
        summary: One line on what there was.
        coverage: Of images: how many of those that the protocol scores there are.
        refused: Whether something in it forbids scoring.
        run: What came of scoring it; `None` where it was not scored.
    """

    summary: str
    findings: Findings
    coverage: Coverage | None
    refused: bool = False
    run: RunData | None = None


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
    progress: Progress = SILENT,
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
    predictions = is_table(answer)
    kind = "victim" if predictions else "attack"
    _require_new(name, kind, described.get("label", ""))
    check = check_predictions_answer if predictions else check_images_answer
    with check(answer, request, store, progress) as answered:
        summary, findings = answered.checked.summary, answered.checked.findings
        coverage = None if isinstance(answered, PredictionsAnswer) else answered.coverage
        found = ScoredAnswer(summary=summary, findings=findings, coverage=coverage)
        if findings.of("error") and not without_bad:
            return replace(found, refused=True)
        if coverage and not coverage.scored:
            raise CamobenchError(
                "nothing that is scored was answered: it holds no image that could be scored; do "
                "as the README of the challenge says"
            )
        entry: Entry[Any, Any] = answered.entry(name, store, **described)
        asked = answered.request
        if predictions:
            asked = replace(asked, victims=(name, *asked.victims))
        else:
            asked = replace(asked, attacks=(name, *asked.attacks))
        with REGISTRIES[kind].during(entry):
            if not asked.victims:
                raise CamobenchError("no victim to score with; name some with --victims, or `all`")
            session = open_session(asked, store, progress)
            require_own(out, RESULTS, session.request.made_of(out))
            if isinstance(answered, PredictionsAnswer):  # before anything is trained
                untrained = [job.key for job in missing_jobs(session.graph, session.shelf)]
                answered.require_exported(session.networks, untrained)
            if dry_run:
                return found
            answered.keep(session, entry.spec)
            return replace(found, run=evaluate_run(asked, store, out, progress))


def _require_new(name: str, kind: str, label: str) -> None:
    try:
        VictimSpec(name=name) if kind == "victim" else AttackSpec(name=name)
    except ValueError as error:
        raise WrongUsageError(f"--name: {error}") from error
    if name in REGISTRIES[kind] or REGISTRIES[kind].is_installed(name):  # or one of a family
        raise WrongUsageError(f"there is {kind} {name!r} already; choose another --name")
    if label != name and label in ATTACKS:
        raise WrongUsageError(f"--label: {label!r} is the name of another attack; choose another")
