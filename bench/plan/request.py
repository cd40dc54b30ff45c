"""From a request (suite, attacks, victims) to a folder of predictions, tables and report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from bench.contract import ATTACKS, VICTIMS
from bench.execute import AUTO_EXECUTOR
from bench.jobs.job import CELL_TIMEOUT_S, Job, TrainJob
from bench.jobs.scoring.condition import PLAIN, Condition, conditions_of
from bench.jobs.scoring.items import AUTO
from bench.metrics.success import CLEAN_CONTROL
from bench.plan.failures import Failures
from bench.plan.names.plugin_rows import note_plugins, with_place
from bench.plan.results.cards import write_network_cards
from bench.plan.results.output import write_matrix
from bench.plan.session import Session
from bench.records.load import load_run
from bench.records.run import RunData
from bench.report.pages.report import write_all
from bench.store import Store
from bench.store.outputs import note_own, require_own
from bench.suites.base import SuiteSource
from bench.types import SILENT, CamobenchError, Progress

RESULTS = "results"
"""What the note in a folder calls the results of a matrix."""


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
            "strengths": sorted({*self.strengths, 1.0}),  # the whole attack, named or not
        }

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What happens to images before they are scored, nothing first."""
        return conditions_of(self.strengths, self.recompress)

    def limit_s(self, job: Job) -> float | None:
        """What a job may take; `None` is no limit."""
        return (self.fit_timeout_s if isinstance(job, TrainJob) else self.cell_timeout_s) or None


def open_session(
    request: Request,
    store: Store,
    progress: Progress = SILENT,
    failures: Failures | None = None,
) -> Session:
    """Lay out the jobs of a request. The `identity` control is always scored: it is clean accuracy.

    What fails is noted in the store, and the rest goes on; other `failures` may be given:
    `Failures()`, which have no folder, raise the first.

    Raises:
        UnknownNameError: If an attack or a victim is not registered.
        CamobenchError: If the recipe is unknown.
    """
    attacks = tuple(dict.fromkeys((*request.attacks, CLEAN_CONTROL)))
    if failures is None:
        failures = Failures(store.root / "failures" / request.source.card.name)
    return Session(replace(request, attacks=attacks), store, progress, failures)


def evaluate_run(request: Request, store: Store, out: Path, progress: Progress = SILENT) -> RunData:
    """Train and score what is missing, then write predictions, tables and report into `out`.

    Running the same request again continues where it was. Cells that fail are holes in the tables:
    `RunData.failed` names them.

    Raises:
        CamobenchError: If the request names no victim, or `out` holds what something else made, or
            every cell failed.
    """
    if not request.victims:
        raise CamobenchError("a matrix needs victims; name at least one")
    made_of = request.made_of(out)
    require_own(out, RESULTS, made_of)
    session = open_session(request, store, progress)
    session.train()
    session.prepare_scoring()
    cells = session.fill()
    plain = [one for one in cells if one.condition == PLAIN and one.victims]
    if not plain:
        raise CamobenchError(f"every cell failed: {session.failures.summary()}")
    note_plugins(request, store, [cell.attack for cell in plain])
    with store.lock_results(out):
        require_own(out, RESULTS, made_of)  # another command may have written meanwhile
        progress.start("writing entries and rows", 1)
        note_own(out, RESULTS, made_of)
        write_matrix(out, session, cells)
        write_network_cards(out, session, {name for cell in plain for name in cell.victims})
        progress.finish()
        store.sweep()  # last: what this request could continue with, it has
        run = load_run(out)
        progress.start("writing tables and report", 1)
        write_all(run)
        progress.finish()
    return run
