"""From a run's folder to `detection.parquet`: would anyone notice that its pictures were treated?

Features of each attack's images are jobs and stay in the store; the detectors over them are linear,
trained anew in seconds.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.contract import ATTACKS
from bench.detect import features
from bench.detect.detectors import detect
from bench.detect.features import DETECTORS
from bench.execute import AUTO_EXECUTOR, Inline, executor_of
from bench.jobs.features import FEATURES, TESTED, TRAINED, feature_file
from bench.jobs.job import FeatureJob, Site
from bench.jobs.networks import Shelf
from bench.jobs.outcome import Failed
from bench.jobs.scoring.condition import Condition
from bench.jobs.scoring.items import ORDER_VERSION
from bench.jobs.scoring.rows import RowFolder, read_rows
from bench.jobs.scoring.score import KEY_DIGITS
from bench.jobs.workplace import Workplace
from bench.plan.answers import answered_rows_of, known
from bench.plan.failures import Failures
from bench.plan.graph import Graph, plan
from bench.plan.train import train
from bench.processes import default_workers
from bench.provenance import provenance
from bench.recipes import get_recipe
from bench.records.load import load_run
from bench.records.run import RunData
from bench.report.detection.scores import ROWS
from bench.store import Store, digest, read_json, replacing
from bench.suites.base import Suite, open_suite, prepare
from bench.suites.catalogue import SIMULATED, load_suite
from bench.types import CamobenchError, Progress

DECIMALS = 4
"""Of a score: processors move the fifth."""


def detect_run(
    folder: Path,
    store: Store,
    *,
    quality_percent: int | None,
    device: str = "cpu",
    workers: int = 0,
    progress: Progress,
) -> dict[str, str]:
    """Write `detection.parquet` into the folder of a run, with what is missing made first.

    Args:
        folder: Of a run that `load_run` takes.
        store: Where images and features are kept; networks that ship are used where keys match.
        quality_percent: Of the JPEG save that untouched and treated images get last; `None`: PNG.
        device: Where attacks run.
        workers: Attacks at a time; 0 chooses.
        progress: Told how far it is.

    Returns:
        Why attacks are left out, by name.

    Raises:
        CamobenchError: If the suite is not at hand, or no attack is.
    """
    run = load_run(folder)
    entries = {one.name: read_json(folder / f"entry-{one.name}.json") for one in run.attacks}
    with known(answered_rows_of(store, [*entries.values()])):
        suite = _suite(run, store, progress)
        shelf, failures = Shelf(store=store), Failures.of(store, run.suite)
        names = [name for name in entries if name in ATTACKS]
        graph = _graph(run, suite, names, entries, store)
        place = Workplace(
            Site(store_root=store.root, keys=graph.keys, device=device, began=provenance())
        )
        workers = workers or default_workers(place.device)
        executor = executor_of(AUTO_EXECUTOR, graph.keys, workers) or Inline(place)
        train(graph, shelf, progress, failures, device=device, executor=executor)
        jobs, left_out = _jobs(place, entries, failures, quality_percent)
        for job in jobs.values():
            RowFolder(store.prediction_folder(job.key)).set_damaged_aside([FEATURES])
        missing = [job for job in jobs.values() if not feature_file(store, job.key).is_file()]
        progress.start("features of attacks", len(jobs), len(jobs) - len(missing))
        with closing(executor.run(missing, place.site, progress)) as running:
            for done, outcome in running:
                if isinstance(outcome, Failed) and isinstance(done, FeatureJob):
                    noted = failures.note(done.label, outcome)
                    left_out[done.attack] = f"{noted.reason}; {noted.log}"
                progress.advance()
        progress.finish()
        measured = {
            name: read_rows([feature_file(store, job.key)])
            for name, job in jobs.items()
            if name not in left_out
        }
        if "" not in measured or len(measured) == 1:
            raise CamobenchError(f"{folder}: no attack can be tested: {said(left_out)}")
        rows = pd.concat(_scores(measured, progress), ignore_index=True)
    rows = rows.assign(
        quality_percent=pd.array([quality_percent] * len(rows), dtype="Int64"),
        score=rows["score"].round(DECIMALS),
    )
    with replacing(folder / ROWS) as target:
        rows.to_parquet(target, index=False)
    return left_out


def said(left_out: dict[str, str]) -> str:
    """Who is left out and why, in one line."""
    return "; ".join(f"{name or 'untouched images'}: {why}" for name, why in left_out.items())


def _suite(run: RunData, store: Store, progress: Progress) -> Suite:
    if run.suite in SIMULATED and load_suite(run.suite).card.fingerprint == run.fingerprint:
        return prepare(load_suite(run.suite), store, ("B", "C"), progress=progress)
    suite = open_suite(store.data_folder(run.suite, run.fingerprint))
    for set_name in ("B", "C"):
        suite.verify(set_name, progress)
    return suite


def _graph(
    run: RunData, suite: Suite, names: list[str], entries: dict[str, Any], store: Store
) -> Graph:
    first = next(iter(entries.values()))
    return plan(
        suite.card,
        get_recipe(run.recipe),
        attacks=names,
        victims=(),
        seed=first["seed"],
        attack_seed=first.get("attack_seed"),
        store=store,
    )


def _jobs(
    place: Workplace,
    entries: dict[str, Any],
    failures: Failures,
    quality_percent: int | None,
) -> tuple[dict[str, FeatureJob], dict[str, str]]:
    """A job for each attack that is the one of its entry, and for untouched images (""); the rest.

    A training that failed leaves its attack out.
    """
    keys, jobs, left_out = place.site.keys, dict[str, FeatureJob](), dict[str, str]()
    for name in ("", *entries):
        made_by = "untouched"
        if name:
            record, key = entries[name]["attack"], keys.attacks.get(name)
            if key is None:
                left_out[name] = "not registered; name it with --plugin FILE.py:CLASS"
            elif key in failures.jobs:
                left_out[name] = failures.jobs[key].reason
            elif key[:KEY_DIGITS] != record["key"]:
                left_out[name] = "today's code would make another network under this name"
            elif (made_by := place.networks.attack_digest(name)) != record["digest"]:
                left_out[name] = "the weights at hand are others than those that were scored"
        if name not in left_out:
            behind = {
                "features": features.VERSION,
                "images": made_by,
                "asked": [ORDER_VERSION, TRAINED, TESTED],
                "suite": keys.suite.fingerprint,
                "pixels": [place.suite.checksum("B"), place.suite.checksum("C")],
                "save": Condition(quality_percent=quality_percent).identity,
                "device": place.device.type,
            }
            key = digest(behind)
            jobs[name] = FeatureJob(attack=name, quality_percent=quality_percent, key=key)
    return jobs, left_out


def _scores(measured: dict[str, pd.DataFrame], progress: Progress) -> list[pd.DataFrame]:
    """Scores of every attack's images and of untouched ones, by detector and regime."""
    sets = {
        name: {set_name: rows[rows["set"] == set_name] for set_name in ("B", "C")}
        for name, rows in measured.items()
    }
    untouched, attacks = sets.pop(""), sets
    found = []
    progress.start("training detectors", len(DETECTORS) * len(attacks))
    for detector in DETECTORS:

        def vectors(rows: pd.DataFrame, detector: str = detector) -> Any:
            return np.stack(rows[detector].to_list())

        treated = {n: vectors(part["B"]) for n, part in attacks.items() if len(part["B"])}
        plain, clean = vectors(untouched["B"]), vectors(untouched["C"])
        for name, part in attacks.items():
            tested = clean, vectors(part["C"])
            about = [
                rows.drop(columns=[*DETECTORS, "set"]).assign(
                    attack=name, attack_key=part["C"]["attack_key"].iloc[0], treated=is_treated
                )
                for rows, is_treated in ((untouched["C"], False), (part["C"], True))
            ]
            kin = [other for other in attacks if _method(other) == _method(name)]
            for one in detect(name, plain, treated, tested, kin):
                for rows, scores in zip(about, (one.originals, one.anonymised), strict=True):
                    found.append(rows.assign(detector=detector, regime=one.regime, score=scores))
            progress.advance()
    progress.finish()
    return found


def _method(attack: str) -> object:
    """The class behind an attack, whatever its constants."""
    builder = ATTACKS.get(attack).builder
    while isinstance(builder, partial):
        builder = builder.func
    return builder
