"""What is read of every attack of a run's folder, by jobs: for detectors, or for device linkage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from bench import detect
from bench.jobs.features import TESTED, TRAINED, feature_file
from bench.jobs.job import FeatureJob
from bench.jobs.outcome import Failed
from bench.jobs.scoring.condition import Condition
from bench.jobs.scoring.items import ORDER_VERSION
from bench.jobs.scoring.rows import read_rows
from bench.plan.again import plan_again, require_scored, suite_again
from bench.plan.answers.kept import answered_rows, known
from bench.plan.request import Request, open_session
from bench.plan.session import Session
from bench.records.load import load_run
from bench.records.run import RunData
from bench.store import Store, digest
from bench.suites.base import Suite
from bench.types import CamobenchError, Progress

VERSION = 2
"""Raise it when other images are read, or others with them."""


@contextmanager
def measured(
    folder: Path,
    store: Store,
    progress: Progress,
    asked: Callable[[Suite], FeatureJob],
    **choices: Any,
) -> Iterator[tuple[dict[str, pd.DataFrame], dict[str, str]]]:
    """Read what is missing of a run's attacks, with networks that are missing made first.

    Attacks that were sent are registered inside the block. `asked` gives the job of untouched
    images, without its key; those of attacks are like it. The `choices` are a `Request`'s.

    Yields:
        What was read, by attack, of untouched images under ""; and why attacks are not among them.

    Raises:
        CamobenchError: If the suite is not at hand, or no attack is.
    """
    run = load_run(folder)
    with known(answered_rows(store, run.suite, run.fingerprint)):
        suite = suite_again(run, store, ("B", "C"), progress)
        wanted = asked(suite)
        _, same, left = plan_again(run, run.attacks, suite.card, store)
        left_out = {one.name: reason for one, reason in left}
        request = Request(
            source=suite,
            attacks=tuple(one.name for one in same),
            victims=(),
            recipe=run.recipe,
            seed=run.entries[0].seed,
            attack_seed=run.entries[0].attack_seed,
            cell_timeout_s=0,
            **choices,
        )
        session = open_session(request, store, progress)
        session.train()
        jobs = _jobs(session, run, wanted, left_out)
        missing = [job for job in jobs.values() if not feature_file(store, job.key).is_file()]
        progress.start("images of attacks", len(jobs), len(jobs) - len(missing))
        with closing(session.run(missing)) as running:
            for done, outcome in running:
                if isinstance(outcome, Failed) and isinstance(done, FeatureJob):
                    noted = session.failures.note(done.label, outcome)
                    left_out[done.attack] = f"{noted.reason}; {noted.log}"
                progress.advance()
        progress.finish()
        digests = {one.name: one.digest for one in run.attacks}
        rows = {
            name: read_rows([feature_file(store, job.key)]).assign(
                suite=run.suite, attack_digest=digests.get(name)
            )
            for name, job in jobs.items()
            if name not in left_out
        }
        # Images that were sent may lack some of those that are tested.
        tested = {name: set(some["image_id"][some["set"] == "C"]) for name, some in rows.items()}
        whole = tested.get("", set())
        for name, mine in tested.items():
            if gone := len(whole - mine):
                left_out[name] = f"{gone} of the {len(whole)} images that are tested are missing"
        rows = {name: some for name, some in rows.items() if name not in left_out}
        if "" not in rows or len(rows) == 1:
            raise CamobenchError(f"{folder}: no attack can be tested: {said(left_out)}")
        yield rows, left_out


def said(left_out: Mapping[str, str]) -> str:
    """Who is left out and why, in one line."""
    return "; ".join(f"{name or 'untouched images'}: {why}" for name, why in left_out.items())


def _jobs(
    session: Session, run: RunData, wanted: FeatureJob, left_out: dict[str, str]
) -> dict[str, FeatureJob]:
    """A job for untouched images ("") and each attack that has its entry's weights, by name."""
    graph, suite, made_by = session.graph, session.place.suite, {"": "untouched"}
    for one in run.attacks:
        if one.name in left_out:
            continue
        if failure := session.failures.jobs.get(graph.attacks[one.name]):
            left_out[one.name] = failure.reason
            continue
        try:
            made_by[one.name] = require_scored(one, session.networks)
        except CamobenchError as error:
            left_out[one.name] = str(error)
    behind = {
        "read": [VERSION, wanted.fingerprints or detect.VERSION],
        "asked": [ORDER_VERSION, TRAINED, TESTED],
        "suite": graph.suite.fingerprint,
        "pixels": [suite.checksum("B"), suite.checksum("C")],
        "save": Condition(quality_percent=wanted.quality_percent).identity,
        "device": session.place.device.type,
    }
    return {
        name: replace(wanted, attack=name, key=digest({**behind, "images": found}))
        for name, found in made_by.items()
    }
