"""What is read of every attack of a run's folder, by jobs: for detectors, or for device linkage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from bench import detect
from bench.contract import ATTACKS
from bench.execute import AUTO_EXECUTOR, executor_of
from bench.jobs.features import FEATURES, TESTED, TRAINED, feature_file
from bench.jobs.job import FeatureJob, Site
from bench.jobs.outcome import Failed
from bench.jobs.scoring.condition import Condition
from bench.jobs.scoring.items import ORDER_VERSION
from bench.jobs.scoring.rows import RowFolder, read_rows
from bench.jobs.scoring.score import KEY_DIGITS
from bench.jobs.workplace import Workplace
from bench.plan.answers.kept import answered_rows_of, known
from bench.plan.failures import Failures
from bench.plan.graph import plan
from bench.plan.train import train
from bench.processes import default_workers
from bench.provenance import provenance
from bench.recipes import get_recipe
from bench.records.load import load_run
from bench.records.run import RunData
from bench.store import Store, digest, read_json, replacing
from bench.suites.base import Suite, open_suite, prepare
from bench.suites.catalogue import SIMULATED, load_suite
from bench.types import CamobenchError, Progress

VERSION = 1
"""Raise it when other images are read, or others with them."""


@dataclass(frozen=True, kw_only=True)
class Means:
    """What a run's images are read by: see `executor_of`.

    Attributes:
        store: Where images are kept, and what is read of them; networks that ship are used where
            keys match.
        workers: Attacks at a time; 0 chooses.
    """

    store: Store
    device: str = "cpu"
    workers: int = 0
    executor: str = AUTO_EXECUTOR
    address: str = ""
    progress: Progress


@contextmanager
def measured(
    folder: Path, means: Means, asked: Callable[[Suite], FeatureJob]
) -> Iterator[tuple[dict[str, pd.DataFrame], dict[str, str]]]:
    """Read what is missing of a run's attacks, with networks that are missing made first.

    Attacks that were sent are registered inside the block. `asked` gives the job of untouched
    images, without its key; those of attacks are like it.

    Yields:
        What was read, by attack, of untouched images under ""; and why attacks are not among them.

    Raises:
        CamobenchError: If the suite is not at hand, or no attack is.
    """
    run, store, progress = load_run(folder), means.store, means.progress
    entries = {one.name: read_json(folder / f"entry-{one.name}.json") for one in run.attacks}
    with known(answered_rows_of(store, [*entries.values()])):
        suite = _suite(run, store, progress)
        wanted = asked(suite)
        failures, first = Failures.of(store, run.suite), next(iter(entries.values()))
        graph = plan(
            suite.card,
            get_recipe(run.recipe),
            attacks=[name for name in entries if name in ATTACKS],
            victims=(),
            seed=first["seed"],
            attack_seed=first.get("attack_seed"),
            store=store,
        )
        site = Site(store_root=store.root, keys=graph.keys, device=means.device, began=provenance())
        place = Workplace(site)
        workers = means.workers or default_workers(place.device)
        executor = executor_of(means.executor, graph.keys, workers, means.address)
        train(graph, place.shelf, progress, failures, device=means.device, executor=executor)
        jobs, left_out = _jobs(place, entries, failures, wanted)
        for job in jobs.values():
            RowFolder(store.prediction_folder(job.key)).set_damaged_aside([FEATURES])
        missing = [job for job in jobs.values() if not feature_file(store, job.key).is_file()]
        progress.start("images of attacks", len(jobs), len(jobs) - len(missing))
        with closing(executor.run(missing, place, progress)) as running:
            for done, outcome in running:
                if isinstance(outcome, Failed) and isinstance(done, FeatureJob):
                    noted = failures.note(done.label, outcome)
                    left_out[done.attack] = f"{noted.reason}; {noted.log}"
                progress.advance()
        progress.finish()
        rows = {
            name: read_rows([feature_file(store, job.key)]).assign(
                attack_digest=entries[name]["attack"]["digest"] if name else None
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


def write_measured(path: Path, rows: pd.DataFrame) -> None:
    """Write what was computed into a run's folder, in one step."""
    with replacing(path) as target:
        rows.to_parquet(target, index=False)


def _suite(run: RunData, store: Store, progress: Progress) -> Suite:
    if run.suite in SIMULATED and load_suite(run.suite).card.fingerprint == run.fingerprint:
        return prepare(load_suite(run.suite), store, ("B", "C"), progress=progress)
    suite = open_suite(store.data_folder(run.suite, run.fingerprint))
    for set_name in ("B", "C"):
        suite.verify(set_name)
    return suite


def _jobs(
    place: Workplace, entries: dict[str, Any], failures: Failures, wanted: FeatureJob
) -> tuple[dict[str, FeatureJob], dict[str, str]]:
    """A job for untouched images ("") and each attack that is the one of its entry; the others."""
    keys, made_by, left_out = place.site.keys, {"": "untouched"}, dict[str, str]()
    for name, entry in entries.items():
        key, record = keys.attacks.get(name), entry["attack"]
        if key is None:
            left_out[name] = "not registered; name it with --plugin FILE.py:CLASS"
        elif key in failures.jobs:
            left_out[name] = failures.jobs[key].reason
        elif key[:KEY_DIGITS] != record["key"]:
            left_out[name] = "today's code would make another network under this name"
        elif (found := place.networks.attack_digest(name)) != record["digest"]:
            left_out[name] = "the weights at hand are others than those that were scored"
        else:
            made_by[name] = found
    behind = {
        "read": [VERSION, wanted.fingerprints or detect.VERSION],
        "asked": [ORDER_VERSION, TRAINED, TESTED],
        "suite": keys.suite.fingerprint,
        "pixels": [place.suite.checksum("B"), place.suite.checksum("C")],
        "save": Condition(quality_percent=wanted.quality_percent).identity,
        "device": place.device.type,
    }
    jobs = {
        name: replace(wanted, attack=name, key=digest({**behind, "images": found}))
        for name, found in made_by.items()
    }
    return jobs, left_out
