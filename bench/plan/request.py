"""From a request (suite, attacks, victims) to a folder of predictions, tables and report."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from bench.contract import ATTACKS, VICTIMS
from bench.execute import AUTO_EXECUTOR, Executor, executor_of
from bench.jobs.job import CELL_TIMEOUT_S, Limits, Site
from bench.jobs.networks import Networks, Shelf
from bench.jobs.scoring.condition import PLAIN, Condition, conditions_of
from bench.jobs.scoring.items import AUTO
from bench.jobs.scoring.precision import Precision
from bench.metrics.success import CLEAN_CONTROL
from bench.plan.failures import Failures
from bench.plan.graph import Graph, plan
from bench.plan.matrix import Matrix
from bench.plan.names.plugin_rows import note_plugins, with_place
from bench.plan.results.cards import write_network_cards
from bench.plan.results.output import write_matrix
from bench.plan.train import missing_jobs, train
from bench.processes import cpu_count, default_workers, keep_freed_memory
from bench.recipes import get_recipe
from bench.records.load import load_run
from bench.records.run import RunData
from bench.report.conditions.curve_tables import CURVES
from bench.report.conditions.survival import SURVIVAL
from bench.report.pages.report import write_report
from bench.report.tables.paper import write_tables
from bench.store import Store, replacing
from bench.store.outputs import note_own, require_own
from bench.suites.audit.record import audit_and_keep, is_quick, kept_audit
from bench.suites.base import Suite, SuiteSource, prepare
from bench.types import SETS, CamobenchError, Progress, SetName, Silent

RESULTS = "results"
"""What the note in a folder calls the results of a matrix."""
MOST_SCORING = 4
"""Jobs of scoring at a time where nobody says how many: each process opens all victims."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to fill a matrix with: what `evaluate` takes, by the same names, with names resolved."""

    source: SuiteSource
    attacks: tuple[str, ...]
    victims: tuple[str, ...]
    recipe: str = "mini"
    seed: int = 0
    attack_seed: int | None = None
    device: str = "cpu"
    shipped: bool = True
    workers: int = 0
    batch: int = AUTO
    precision: str = "fp32"
    keep_fp32: tuple[str, ...] = ()
    keep_images: bool = False
    recompress: tuple[int, ...] = ()
    strengths: tuple[float, ...] = ()
    cell_timeout_s: float = CELL_TIMEOUT_S
    fit_timeout_s: float = 0.0
    executor: str = AUTO_EXECUTOR
    address: str = ""

    def made_of(self, out: Path) -> dict[str, object]:
        """What shapes the results, for the note in their folder `out`."""
        attacks = {*self.attacks, CLEAN_CONTROL}
        return {
            "suite": f"{self.source.card.name} ({self.source.card.fingerprint[:12]})",
            "recipe": self.recipe,
            "seed": self.seed,
            "seed of attacks": self.seed if self.attack_seed is None else self.attack_seed,
            "shipped networks": self.shipped,
            "precision": self.precision,
            "victims in fp32": ", ".join(sorted(self.keep_fp32)),
            "attacks": sorted(with_place(ATTACKS, name, out) for name in attacks),
            "victims": sorted(with_place(VICTIMS, name, out) for name in set(self.victims)),
            "JPEG qualities": sorted(self.recompress),
            "strengths": sorted(self.strengths),
        }

    @property
    def scored_in(self) -> Precision:
        """In which precision each victim is scored."""
        return Precision(name=self.precision, exempt=self.keep_fp32)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What happens to images before they are scored, nothing first."""
        return conditions_of(self.strengths, self.recompress)

    @property
    def limits(self) -> Limits:
        """What a job may take."""
        return Limits(train_s=self.fit_timeout_s or None, score_s=self.cell_timeout_s or None)


@dataclass(frozen=True, kw_only=True)
class Session:
    """A request made concrete: its job graph and where its artifacts live."""

    request: Request
    store: Store
    graph: Graph
    shelf: Shelf
    failures: Failures

    @property
    def networks(self) -> Networks:
        """Trained or not, as the request's victims are scored."""
        device = torch.device(self.request.device)
        return Networks(self.graph, self.shelf, device, precision=self.request.scored_in)

    def prepare(self, sets: tuple[SetName, ...], progress: Progress) -> Suite:
        """Make the sets that are missing."""
        workers = self.request.workers or cpu_count()
        return prepare(self.request.source, self.store, sets, workers=workers, progress=progress)

    def executor(self, most: int | None = None) -> Executor:
        """Who runs jobs, at most so many at a time where nobody says how many."""
        asked = self.request
        usual = default_workers(torch.device(asked.device))
        workers = asked.workers or min(usual, most or usual)
        return executor_of(asked.executor, self.graph.keys, workers, asked.address)

    def train(self, progress: Progress) -> int:
        """Train what is missing; returns how many networks were. What fails goes to `failures`."""
        jobs = missing_jobs(self.graph, self.shelf)
        if not jobs:
            return 0
        self.prepare(tuple(sorted({job.set_name for job in jobs})), progress)
        trained = train(
            self.graph,
            self.shelf,
            progress,
            self.failures,
            device=self.request.device,
            executor=self.executor(),
            limits=self.request.limits,
        )
        return len(trained)

    def export(self, folder: Path) -> None:
        """Copy every checkpoint of the graph into `folder`, by kind, name and key."""
        for job in self.graph.jobs.values():
            found = self.shelf.find(job.kind, job.name, job.key)
            if found is not None:
                found.verify()
                with replacing(folder / job.kind / found.path.name) as target:
                    shutil.copytree(found.path, target)

    def matrix(self, progress: Progress) -> Matrix:
        """Set-C and the trained networks, ready to be scored."""
        suite = self.prepare(("C",), progress)
        if kept_audit(suite) is None and is_quick(self.request.source):
            audit_and_keep(self.prepare(SETS, progress), progress)
        if self.request.device == "cpu":
            keep_freed_memory()
        site = Site(
            store_root=self.store.root,
            keys=self.graph.keys,
            device=self.request.device,
            precision=self.request.scored_in,
            shipped=self.request.shipped,
            batch=self.request.batch,
        )
        return Matrix(
            self.graph,
            site,
            keep_images=self.request.keep_images,
            failures=self.failures,
            progress=progress,
            executor=self.executor(MOST_SCORING),
            limits=self.request.limits,
        )

    def score(self, out: Path, progress: Progress) -> None:
        """Score what is missing and write everything into `out`.

        Raises:
            CamobenchError: If every cell failed.
        """
        matrix = self.matrix(progress)
        cells = matrix.fill(self.request.attacks, self.request.conditions)
        plain = [one for one in cells if one.condition == PLAIN and one.victims]
        if not plain:
            raise CamobenchError(f"every cell failed: {self.failures.summary()}")
        note_plugins(self.request, self.store, [cell.attack for cell in plain])
        progress.start("writing entries and rows", 1)
        note_own(out, RESULTS, self.request.made_of(out))
        write_matrix(out, matrix, cells)
        write_network_cards(out, matrix, {name for cell in plain for name in cell.victims})
        progress.finish()


def open_session(request: Request, store: Store) -> Session:
    """Lay out the jobs of a request. The `identity` control is always scored: it is clean accuracy.

    Raises:
        UnknownNameError: If an attack or a victim is not registered.
        CamobenchError: If the recipe is unknown.
    """
    attacks = tuple(dict.fromkeys((*request.attacks, CLEAN_CONTROL)))
    request = replace(request, attacks=attacks)
    failures = Failures.of(store, request.source.card.name)
    graph = plan(
        request.source.card,
        get_recipe(request.recipe),
        attacks=request.attacks,
        victims=request.victims,
        seed=request.seed,
        attack_seed=request.attack_seed,
        failures=failures,
        store=store,
    )
    shelf = Shelf(store=store, shipped=request.shipped)
    return Session(request=request, store=store, graph=graph, shelf=shelf, failures=failures)


def evaluate_run(
    request: Request, store: Store, out: Path, progress: Progress | None = None
) -> RunData:
    """Train and score what is missing, then write predictions, tables and report into `out`.

    Running the same request again continues where it was. Cells that fail are holes in the tables:
    `RunData.failed` names them.

    Raises:
        CamobenchError: If the request names no victim, or `out` holds what something else made, or
            every cell failed.
    """
    if not request.victims:
        raise CamobenchError("a matrix needs victims; name at least one")
    progress = progress or Silent()
    require_own(out, RESULTS, request.made_of(out))
    session = open_session(request, store)
    session.train(progress)
    session.score(out, progress)
    store.sweep()  # last: what this request could continue with, it has
    run = load_run(out)
    progress.start("writing tables and report", 1)
    for write in (write_tables, write_report, SURVIVAL.write, CURVES.write):
        write(run)
    progress.finish()
    return run
