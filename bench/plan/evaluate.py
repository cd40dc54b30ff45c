"""The matrix from Python: `camobench.evaluate`, and the run that it gives back."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from operator import index
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pandas as pd
from rich.console import Console
from torch import nn

from bench.checks import resolve_device
from bench.console import shown_progress
from bench.contract import ATTACKS, VICTIMS
from bench.contract.given import given_entry
from bench.contract.global_state import usual_global_state
from bench.execute import AUTO_EXECUTOR
from bench.jobs.job import CELL_TIMEOUT_S
from bench.jobs.scoring.condition import parse_qualities, parse_strengths
from bench.plan.answers.kept import answered_rows, known
from bench.plan.names.selection import select_attacks, select_victims
from bench.plan.request import RESULTS, Request, evaluate_run
from bench.records.participants import FailedCell
from bench.records.run import RunData
from bench.registry import Deferred, Registry
from bench.report.cards import clean_accuracy_table
from bench.report.conditions.curve_tables import curves_table
from bench.report.conditions.survival import survival_table
from bench.report.tables.notes import failed_cells
from bench.report.tables.paper import build_table
from bench.report.tables.render import shown
from bench.store import Store
from bench.store.outputs import own_folder
from bench.suites.base import SuiteSource
from bench.suites.catalogue import load_suite
from bench.types import Progress, WrongUsageError

One: TypeAlias = str | type | nn.Module | Mapping[str, type | nn.Module]
Wanted: TypeAlias = One | Iterable[One]


@dataclass(frozen=True)
class Run:
    """A finished run, and the folder that holds its predictions, tables, entries and report."""

    data: RunData

    def __repr__(self) -> str:
        return f"Run({str(self.directory)!r})"

    @property
    def directory(self) -> Path:
        """The folder."""
        return self.data.directory

    @property
    def predictions(self) -> pd.DataFrame:
        """One row an image, target, attack and victim."""
        return self.data.predictions

    @property
    def distortion(self) -> pd.DataFrame:
        """One row an image, target and attack."""
        return self.data.distortion

    @property
    def failed(self) -> dict[tuple[str, str], FailedCell]:
        """Cells that failed, by (attack, victim); their logs are in the folder."""
        return self.data.failed

    def table(self, split: str = "in", format: str | None = None) -> Any:
        """Table 2 (`split="in"`) or 3 (`"out"`, `"real"`): a data frame that prints as the table.

        With a `format`, `md`, `csv`, `tex` or `json`, its text.
        """
        return shown(build_table(self.data, split), format)

    def clean_accuracy(self, format: str | None = None) -> Any:
        """Accuracy of the victims on untouched images, in the same forms."""
        return shown(clean_accuracy_table(self.data), format)

    def survival(self, format: str | None = None) -> Any:
        """What is left of each attack's success after a JPEG save, in the same forms."""
        return shown(survival_table(self.data), format)

    def curves(self, format: str | None = None) -> Any:
        """Success at equal distortion and at each strength, in the same forms."""
        return shown(curves_table(self.data), format)


def evaluate(
    *,
    suite: str | Path | SuiteSource = "simcam-mini-v2",
    attacks: Wanted = "all",
    victims: Wanted = "all",
    out: str | Path | None = None,
    recipe: str = "mini",
    seed: int = 0,
    attack_seed: int | None = None,
    device: str = "auto",
    workers: int = 1,
    batch: int = 0,
    precision: str = "fp32",
    keep_fp32: str | Iterable[str] = "",
    keep_images: bool = False,
    recompress: str | Iterable[int] = (),
    strengths: str | Iterable[float] = (),
    cell_timeout_s: float = CELL_TIMEOUT_S,
    fit_timeout_s: float = 0.0,
    executor: str = AUTO_EXECUTOR,
    address: str = "",
    shipped: bool = True,
    store: str | Path | Store | None = None,
    progress: Progress | bool = True,
) -> Run:
    """Train and score what is missing, then write predictions, tables and report into `out`.

    The same call again continues where it was, and is quick when nothing is missing. An attack or a
    victim that fails leaves a hole in the tables and a warning that names its log.

    Args:
        suite: A name, `folder:DIR`, or what `load_suite` returns.
        attacks: Names or patterns such as `cgan-*`, `controls`, `all`, or a class in a file of
            yours, `my.py:MyAttack`; a list, or separated by commas. In a list also classes;
            instances, which are scored as they are; and plain modules of torch that map
            `(images, targets)` or `images`, (N, 3, H, W) float32 in [0, 1]. They are named after
            their class, or as in `{"my-net": net}`. `identity` is always scored: it is clean
            accuracy.
        victims: Likewise; a plain module maps images to logits, and names the cameras that these
            are of in its attribute `classes`.
        out: Folder of the results. By default `camobench-out` or, where that holds others, the
            first of `camobench-out-2`, `camobench-out-3`, ... that does not: see `Run.directory`.
        recipe: Training budget by name.
        seed: Of all training.
        attack_seed: Of attacks and their surrogates, where it is another.
        device: "cpu", "cuda", "mps", or "auto".
        workers: Processes that make data, train and score side by side; 0 takes one a core.
        batch: Anonymised images scored at a time; 0 takes what suits the device.
        precision: "fp32", or "mixed" for victims' backbones in bf16.
        keep_fp32: Victims that stay in fp32 where the precision is "mixed".
        keep_images: Keep anonymised images in the store, so that a new victim needs no generator.
        recompress: JPEG qualities (70, 80, ...) at which anonymised images are scored too;
            `Run.survival` then says what is left of each attack's success.
        strengths: Shares of an attack's change (0.25, 0.5, ...) that are scored too.
        cell_timeout_s: What an attack and its victims may take for 32 photographs; 0 is no limit.
        fit_timeout_s: What one training may take; 0 is no limit.
        executor: "inline" runs everything in this process; "local" in worker processes, where what
            ends, hangs or eats the memory costs its own cells; "ray" on a Ray cluster; "auto" is
            "local" where code of somebody else takes part or `workers` is more than 1.
        address: Of the Ray cluster, as `ray.init` takes it.
        shipped: Use the networks that ship with the package where they fit.
        store: Where data, checkpoints and predictions are kept; the default is the command line's.
        progress: Told how far it is; by default a terminal or a notebook shows it.

    Raises:
        UnknownNameError: If an attack or a victim is not registered.
        CamobenchError: If there is no such suite, recipe or device, or something cannot be done;
            says what to do.
    """
    if not isinstance(store, Store):
        store = Store(Path(store) if store is not None else Store.default_root())
    with ExitStack() as stack:
        stack.enter_context(usual_global_state())
        if isinstance(progress, bool):
            console = Console(stderr=True, highlight=False)
            progress = stack.enter_context(shown_progress(console, quiet=not progress))
        if isinstance(suite, str | Path):
            suite = load_suite(str(suite), progress=progress, store=store.root)
        stack.enter_context(known(answered_rows(store, suite.card.name, suite.card.fingerprint)))
        request = Request(
            source=suite,
            attacks=stack.enter_context(_names_of("attack", attacks)),
            victims=stack.enter_context(_names_of("victim", victims)),
            recipe=recipe,
            seed=index(seed),
            attack_seed=None if attack_seed is None else index(attack_seed),
            device=resolve_device(device),
            shipped=shipped,
            workers=workers,
            batch=batch,
            precision=precision,
            keep_fp32=tuple(select_victims(keep_fp32)),
            keep_images=keep_images,
            recompress=parse_qualities(recompress),
            strengths=parse_strengths(strengths),
            cell_timeout_s=cell_timeout_s,
            fit_timeout_s=fit_timeout_s,
            executor=executor,
            address=address,
        )
        if out is None:
            out = own_folder(Path("camobench-out"), RESULTS, request.made_of)
        run = Run(evaluate_run(request, store, Path(out), progress))
    if any(run.directory.glob("failures/*.log")):
        warnings.warn(failed_cells(run.data), stacklevel=2)
    return run


@contextmanager
def _names_of(kind: Literal["attack", "victim"], wanted: Wanted) -> Iterator[tuple[str, ...]]:
    """Names of attacks or victims, which are registered inside the block."""
    registry: Registry[Any, Any] = ATTACKS if kind == "attack" else VICTIMS
    select: Callable[[str], list[str]] = select_attacks if kind == "attack" else select_victims
    with ExitStack() as stack:
        names: list[str] = []
        for name, part in _parts(wanted):
            if isinstance(part, str):
                names += select(part)
                continue
            known = []
            if isinstance(part, type):
                makers = part, Deferred(f"{part.__module__}:{part.__qualname__}")
                known = [entry.spec.name for entry in registry if entry.builder in makers]
            if known and name in (None, *known):
                names += known
                continue
            entry = given_entry(kind, part, name)
            if entry.spec.name in names:
                raise WrongUsageError(
                    f'two are called {entry.spec.name!r}: name one, as in {{"my-{kind}": it}}'
                )
            try:
                stack.enter_context(registry.during(entry, of=type(part)))
            except ValueError as error:
                raise WrongUsageError(f'{error}, as in {{"my-{kind}": it}}') from error
            names.append(entry.spec.name)
        yield tuple(dict.fromkeys(names))


def _parts(wanted: Wanted) -> Iterator[tuple[str | None, Any]]:
    alone = isinstance(wanted, str | type | nn.Module | Mapping) or not isinstance(wanted, Iterable)
    for part in [wanted] if alone else wanted:  # type: ignore[union-attr]
        if isinstance(part, Mapping):
            yield from part.items()
        else:
            yield None, part
