"""Scores predictions that answer a challenge: a column of the matrix.

Its rows are put where the scorer would have put them, so that the rest of the matrix, the entries
and the tables treat it as any other column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from bench.contract import ATTACKS, VICTIMS, Victim
from bench.jobs.items import Item
from bench.jobs.networks import Networks
from bench.jobs.rows import base_rows, prediction_rows
from bench.records.participants import Coverage
from bench.registry import Entry
from bench.runner.api import RESULTS, Request, evaluate_request, open_session
from bench.runner.challenge.asked import asked_of_victims, scored_of_victims
from bench.runner.challenge.ids import Asked, Challenge
from bench.runner.challenge.predictions import (
    Answered,
    best_challenge,
    check_predictions_table,
    read_table,
)
from bench.runner.challenge.score import require_challenges, require_scorable
from bench.runner.challenge.specs import SentPredictionsSpec
from bench.runner.train import missing_jobs
from bench.store import Store, digest
from bench.store.outputs import require_own
from bench.suites.base import Suite
from bench.types import CamobenchError, Progress, Silent


class SentPredictions(Victim):
    """A victim of which only predictions are known; it classifies nothing."""

    spec: SentPredictionsSpec

    def logits(self, images: Tensor) -> Tensor:
        """Refuse.

        Raises:
            CamobenchError: Always; names the remedy.
        """
        raise CamobenchError(
            f"only predictions of {self.spec.name} are known: export the challenge anew with these "
            "attacks, and score its new answer"
        )


@dataclass(frozen=True, kw_only=True)
class CheckedPredictions:
    """Predictions that came back, checked.

    Attributes:
        answered: What there is, and what is wrong with it.
        request: The caller's, with the attacks of the challenge.
        scored: Ids of what the protocol scores, by attack, with the item that each stands for.
    """

    challenge: Challenge
    mapping: Mapping[str, Asked]
    answered: Answered
    request: Request
    suite: Suite
    scored: Mapping[str, Mapping[str, Item]]

    @property
    def answered_items(self) -> dict[str, dict[str, Item]]:
        """Those of `scored` that were answered."""
        return {
            attack: {one: item for one, item in items.items() if one in self.answered.predicted}
            for attack, items in self.scored.items()
        }

    @property
    def coverage(self) -> Coverage:
        """How many of the images that are scored were answered."""
        scored, wanted = (
            sum(map(len, found.values())) for found in (self.answered_items, self.scored)
        )
        return Coverage(scored=scored, wanted=wanted)


def checked_predictions(
    path: Path, request: Request, store: Store, progress: Progress | None = None
) -> CheckedPredictions:
    """Check a table of predictions against the challenge that its ids are of.

    Raises:
        CamobenchError: If the file cannot be read, or may be of a challenge with attacks that are
            not registered.
    """
    card = request.source.card
    every = require_challenges(store, card, "victims")
    strange = sorted({name for c in every for name in c.content if name not in ATTACKS})
    challenges = {c.key: c for c in every if not set(strange).intersection(c.content)}
    if not challenges:
        raise _unknown(strange)
    suite = open_session(request, store).prepare(("C",), progress or Silent())
    mappings = {key: c.mapping(asked_of_victims(suite, c.content)) for key, c in challenges.items()}
    most = max(len(mapping) for mapping in mappings.values())
    table = read_table(path, most, card.classes)
    best = best_challenge(table, mappings)
    if best is None and strange:
        raise _unknown(strange)
    best = best or max(mappings, key=lambda key: len(mappings[key]))
    challenge, mapping = challenges[best], mappings[best]
    return CheckedPredictions(
        challenge=challenge,
        mapping=mapping,
        answered=check_predictions_table(table, mapping, card.classes),
        request=replace(request, attacks=tuple(challenge.content)),
        suite=suite,
        scored={
            name: {
                challenge.opaque(asked): item
                for asked, item in scored_of_victims(suite, name).items()
            }
            for name in challenge.content
        },
    )


def _unknown(attacks: Sequence[str]) -> CamobenchError:
    return CamobenchError(
        f"a challenge of this store has images of {', '.join(attacks)}, not known here: name the "
        "plug-in with --attacks FILE.py:CLASS, as for the export"
    )


def predictions_spec(
    checked: CheckedPredictions, name: str, **described: Any
) -> SentPredictionsSpec:
    """The spec of a column of predictions.

    Args:
        checked: The predictions.
        name: Of the column.
        described: Further fields, such as `front_end`, `paper` and `licence`.

    Raises:
        ValueError: If the name is not kebab-case.
    """
    answered = checked.answered
    scored = {one for items in checked.scored.values() for one in items}
    told = []
    for place, (opaque, label) in enumerate(answered.predicted.items()):
        if opaque not in scored:
            continue
        asked, sure = checked.mapping[opaque], answered.probabilities
        numbers = [] if sure is None else [float(value) for value in sure[place]]
        told.append([asked.image_id, asked.attack, asked.target or "", label, numbers])
    return SentPredictionsSpec(
        name=name,
        predictions_sha256=digest(sorted(told)),
        challenge=checked.challenge.key,
        coverage=checked.coverage,
        labels_only=answered.probabilities is None,
        supplementary=True,
        **described,
    )


def score_predictions(
    checked: CheckedPredictions,
    spec: SentPredictionsSpec,
    store: Store,
    out: Path,
    progress: Progress | None = None,
    *,
    dry_run: bool = False,
) -> None:
    """Add the column to the store, and write it and the challenge's attacks into `out`.

    Args:
        checked: The predictions.
        spec: From `predictions_spec`.
        store: That the challenge was exported from.
        out: Where results go.
        progress: Told how far it is.
        dry_run: Refuse what cannot be scored, and score nothing.

    Raises:
        CamobenchError: If nothing was answered, an attack is not the exported one any more, or
            `out` holds what something else made.
        ValueError: If a victim has that name.
    """
    if not checked.coverage.scored:
        raise CamobenchError(
            "no image that is scored was answered: send a row for each image of the challenge"
        )
    progress = progress or Silent()
    with VICTIMS.during(Entry(spec=spec, builder=SentPredictions)):
        victims = (spec.name, *checked.request.victims)
        request = replace(checked.request, victims=victims)
        session = require_scorable(request, store)
        require_own(out, RESULTS, session.request.made_of(out))
        keys = {name: session.graph.attacks[name] for name in checked.challenge.content}
        _require_exported(checked.challenge, "key", keys)  # before anything is trained
        networks = Networks(session.graph, session.shelf, torch.device(request.device))
        untrained = {job.key for job in missing_jobs(session.graph, session.shelf)}
        trained = [name for name, key in keys.items() if key not in untrained]
        _require_exported(
            checked.challenge, "digest", {name: networks.attack_digest(name) for name in trained}
        )
        if dry_run:
            return
        session.train(progress)
        matrix = session.matrix(progress)
        digests = {name: matrix.networks.attack_digest(name) for name in keys}
        _require_exported(checked.challenge, "digest", digests)
        for attack in checked.challenge.content:
            matrix.put(attack, spec.name, _rows(checked, spec, attack))
        evaluate_request(request, store, out, progress)


def _require_exported(challenge: Challenge, field: str, now: Mapping[str, str]) -> None:
    known: Mapping[str, Any] = challenge.content
    changed = [name for name, value in now.items() if known[name][field] != value]
    if changed:
        raise CamobenchError(
            f"challenge {challenge.key} was exported with other networks or another version of "
            f"{', '.join(changed)}: give the --recipe, --seed and --from-scratch of the export, or "
            "export it anew"
        )


def _rows(checked: CheckedPredictions, spec: SentPredictionsSpec, attack: str) -> pd.DataFrame:
    """The column's rows on one attack, in the order of a run."""
    suite, answered = checked.suite, checked.answered
    manifest, classes = suite.manifest("C"), suite.card.classes
    items = checked.answered_items[attack]
    place = {opaque: index for index, opaque in enumerate(answered.predicted)}
    chosen = [place[opaque] for opaque in items]
    base = base_rows(list(items.values()), manifest, classes, suite.card.name)
    victim = SentPredictions(spec, classes=classes)
    sure = answered.probabilities
    numbers = np.full((len(items), len(classes)), np.nan, np.float32)
    rows = prediction_rows(base, victim, numbers if sure is None else sure[chosen])
    # Where two classes are equally likely, the choice is the classifier's own.
    return rows.assign(predicted=[answered.predicted[opaque] for opaque in items])
