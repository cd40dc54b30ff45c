"""Predictions that answer a challenge: they become the rows of a column, put where a scorer would.

Everything else of the column's results is made as of any other victim.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from bench.challenge.ids import Challenge, require_challenges
from bench.challenge.prediction_checks import (
    IMAGE,
    CheckedPredictions,
    check_predictions,
    read_table,
)
from bench.contract import ATTACKS, Victim
from bench.jobs.networks import Networks
from bench.jobs.scoring.items import Item
from bench.jobs.scoring.rows import base_rows, prediction_rows
from bench.plan.answers.kept import AnsweredPredictionsSpec
from bench.plan.request import Request, open_session
from bench.plan.session import Session
from bench.registry import Entry
from bench.store import Store, digest
from bench.suites.base import Suite
from bench.types import CamobenchError, Progress


class AnsweredPredictions(Victim):
    """A victim of which only predictions are known; it classifies nothing."""

    spec: AnsweredPredictionsSpec

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
class PredictionsAnswer:
    """Predictions that came back, checked.

    Attributes:
        request: The caller's, with the attacks of the challenge.
        scored: Ids of what the protocol scores, with their items, by attack.
    """

    challenge: Challenge
    suite: Suite
    request: Request
    checked: CheckedPredictions
    scored: Mapping[str, Mapping[str, Item]]

    def entry(self, name: str, store: Store, **described: Any) -> Entry[Any, Any]:
        """The column that they are; `described` are further fields of its spec."""
        sure, told = self.checked.probabilities, []
        names, classes = self.suite.manifest("C")["image_id"], self.suite.card.classes
        for attack, items in self.scored.items():
            for one, item in items.items():
                at, label = self.checked.predicted[one]
                numbers = [] if sure is None else [float(value) for value in sure[at]]
                target = "" if item.target is None else classes[item.target]
                told.append([names[item.index], attack, target, label, numbers])
        spec = AnsweredPredictionsSpec(
            name=name,
            predictions_sha256=digest(sorted(told)),
            challenge=self.challenge.key,
            labels_only=sure is None,
            supplementary=True,
            **described,
        )
        return Entry(spec=spec, builder=AnsweredPredictions)

    def keep(self, session: Session, spec: Any) -> None:
        """Put the column's rows where the scorer would have put them."""
        session.train()
        session.prepare_scoring()
        self.require_exported(session.networks)
        for attack in self.scored:
            session.put(attack, spec.name, self._rows(spec, attack))

    def require_exported(self, networks: Networks, untrained: Collection[str] = ()) -> None:
        """Compare the attacks with those that were exported; `untrained` ones by key alone.

        Raises:
            CamobenchError: If they are others; names them.
        """
        keys = networks.graph.attacks
        changed = [
            name
            for name, was in self.challenge.content.items()
            if keys[name] != was["key"]
            or (keys[name] not in untrained and networks.attack_digest(name) != was["digest"])
        ]
        if changed:
            raise CamobenchError(
                f"challenge {self.challenge.key} was exported with other networks or another "
                f"version of {', '.join(changed)}: give the --recipe, --seed and --from-scratch of "
                "the export, or export it anew"
            )

    def _rows(self, spec: AnsweredPredictionsSpec, attack: str) -> pd.DataFrame:
        """The column's rows on one attack, in the order of a run."""
        card, items = self.suite.card, self.scored[attack]
        base = base_rows(list(items.values()), self.suite.manifest("C"), card.classes, card.name)
        sure = self.checked.probabilities
        numbers = np.full((len(items), len(card.classes)), np.nan, np.float32)
        if sure is not None:
            numbers = sure[[self.checked.predicted[one][0] for one in items]]
        rows = prediction_rows(base, AnsweredPredictions(spec, classes=card.classes), numbers)
        # Where two classes are equally likely, the choice is the classifier's own.
        return rows.assign(predicted=[self.checked.predicted[one][1] for one in items])


@contextmanager
def check_predictions_answer(
    place: Path, request: Request, store: Store, progress: Progress
) -> Iterator[PredictionsAnswer]:
    """Check a table of predictions against the challenge of the store that most ids are of.

    Raises:
        CamobenchError: If the file cannot be read, or may be of a challenge with attacks that are
            not registered.
    """
    card = request.source.card
    every = require_challenges(store, card, "victims")
    strange = sorted({name for one in every for name in one.content if name not in ATTACKS})
    challenges = [one for one in every if not set(strange).intersection(one.content)]
    unknown = CamobenchError(
        f"a challenge of this store has images of {', '.join(strange)}, not known here: name the "
        "plug-in with --attacks FILE.py:CLASS, as for the export"
    )
    if not challenges:
        raise unknown
    suite = open_session(request, store, progress).prepare(("C",))
    asked = {one.key: one.images(suite) for one in challenges}
    table = read_table(place, card.classes)
    ids = set(table[IMAGE]) if IMAGE in table else set[str]()
    challenge = max(challenges, key=lambda one: len(ids & asked[one.key].keys()))
    if strange and not ids & asked[challenge.key].keys():
        raise unknown
    checked = check_predictions(table, asked[challenge.key], card.classes)
    yield PredictionsAnswer(
        challenge=challenge,
        suite=suite,
        request=replace(request, attacks=tuple(challenge.content)),
        checked=checked,
        scored=challenge.scored(suite),
    )
