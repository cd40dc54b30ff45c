"""The matrix from Python: `camobench.evaluate`, and the run that it gives back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from bench.report.inputs import RunData, load_run
from bench.report.tables import build_table, clean_accuracy_table, render
from bench.runner.api import Request, evaluate_request, resolve_device
from bench.runner.selection import select_attacks, select_victims
from bench.store import Store
from bench.suites.base import SuiteSource
from bench.suites.catalogue import load_suite
from bench.types import Progress


@dataclass(frozen=True)
class Run:
    """A finished run: the folder that holds its predictions, tables, entries and report."""

    directory: Path

    @cached_property
    def data(self) -> RunData:
        """What the folder holds, read and checked once."""
        return load_run(self.directory)

    @property
    def predictions(self) -> pd.DataFrame:
        """One row an image, target, attack and victim."""
        return self.data.predictions

    @property
    def distortion(self) -> pd.DataFrame:
        """One row an image, target and attack."""
        return self.data.distortion

    def table(self, split: str = "in", format: str = "md") -> str:
        """Table 2 (`split="in"`) or 3 (`"out"`) as `md`, `csv`, `tex` or `json`."""
        return render(build_table(self.data, split), format)

    def clean_accuracy(self, format: str = "md") -> str:
        """Accuracy of the victims on untouched images, in the same formats."""
        return render(clean_accuracy_table(self.data), format)


def evaluate(
    *,
    suite: str | SuiteSource = "simcam-mini-v1",
    attacks: str | Iterable[str] = "all",
    victims: str | Iterable[str] = "all",
    out: str | Path = "camobench-out",
    recipe: str = "mini",
    seed: int = 0,
    device: str = "auto",
    workers: int = 1,
    batch: int = 0,
    precision: str = "fp32",
    fp32: str | Iterable[str] = "",
    keep_images: bool = False,
    shipped: bool = True,
    store: str | Path | Store | None = None,
    progress: Progress | None = None,
) -> Run:
    """Train and score what is missing, then write predictions, tables and report into `out`.

    The same call again continues where it was, and is quick when nothing is missing.

    Args:
        suite: A name, `folder:DIR`, or what `load_suite` returns.
        attacks: Names or patterns such as `cgan-*`, `controls`, `all`; a list, or separated by
            commas. `identity` is always scored: it is clean accuracy.
        victims: Likewise.
        out: Folder of the results.
        recipe: Training budget by name.
        seed: Of all training.
        device: "cpu", "cuda", "mps", or "auto".
        workers: Processes that make data and train networks side by side; 0 takes one a core.
            With more than 1, worker processes import the calling script: put the call under
            `if __name__ == "__main__":`. Plug-ins of the script are trained in this process.
        batch: Anonymised images scored at a time; 0 takes what suits the device.
        precision: "fp32", or "mixed" for victims' backbones in bf16.
        fp32: Victims that stay in fp32 where the precision is "mixed".
        keep_images: Keep anonymised images in the store, so that a new victim needs no generator.
        shipped: Use the networks that ship with the package where they fit.
        store: Where data, checkpoints and predictions are kept; the default is the command line's.
        progress: Told how far it is.

    Raises:
        UnknownNameError: If an attack or a victim is not registered.
        CamobenchError: If there is no such suite, recipe or device, or something cannot be done;
            says what to do.
    """
    if not isinstance(store, Store):
        store = Store(Path(store) if store is not None else Store.default_root())
    if isinstance(suite, str):
        suite = load_suite(suite, progress=progress, store=store.root)
    request = Request(
        source=suite,
        attacks=tuple(select_attacks(_listed(attacks))),
        victims=tuple(select_victims(_listed(victims))),
        recipe=recipe,
        seed=seed,
        device=resolve_device(device),
        shipped=shipped,
        workers=workers,
        batch=batch,
        precision=precision,
        fp32=tuple(select_victims(_listed(fp32))),
        keep_images=keep_images,
    )
    return Run(evaluate_request(request, store, Path(out), progress))


def _listed(names: str | Iterable[str]) -> str:
    return names if isinstance(names, str) else ",".join(names)
