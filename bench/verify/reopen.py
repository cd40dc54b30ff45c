"""From a run folder back to the networks and images that it was made with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bench.jobs.networks import Networks, Shelf
from bench.jobs.scoring.precision import Precision
from bench.plan.answers.images import require_kept
from bench.plan.answers.kept import answered_rows_of, known
from bench.plan.cells import require_scored
from bench.plan.graph import plan_again
from bench.records.load import load_run
from bench.records.run import RunData
from bench.store import Store, read_json
from bench.suites.base import Suite, SuiteCard, open_suite, prepare
from bench.suites.catalogue import SIMULATED, load_suite
from bench.types import CamobenchError, Progress
from bench.verdicts import Verdict
from bench.wording import listed


class ImagesMissingError(CamobenchError):
    """Set-C of a run is neither in the store nor can it be simulated again."""


@dataclass(frozen=True, kw_only=True)
class Reopened:
    """What a run was made with, as far as it is at hand.

    Attributes:
        attacks: Networks that hold the attack of this name; `victims` likewise.
        verdicts: One for each reason why others are missing.
    """

    run: RunData
    entries: Mapping[str, dict[str, Any]]
    suite: Suite
    attacks: Mapping[str, Networks]
    victims: Mapping[str, Networks]
    verdicts: tuple[Verdict, ...]


@contextmanager
def reopened(
    folder: Path, store: Store, device: torch.device, *, shipped: bool, progress: Progress
) -> Iterator[Reopened]:
    """Open images and networks of a run; keys and weights have to be those of its entries.

    They are the store's, or those that ship, in the precision of the entries. Inside the block the
    rows of the run that answered a challenge are known, where the store keeps their images.

    Raises:
        ImagesMissingError: If its Set-C is not at hand.
    """
    run = load_run(folder)
    entries = {one.name: read_json(folder / f"entry-{one.name}.json") for one in run.attacks}
    with known(answered_rows_of(store, entries.values())):
        suite = _suite(run, store, progress)
        shelf = Shelf(store=store, shipped=shipped)
        found: dict[str, dict[str, Networks]] = {"attack": {}, "victim": {}}
        reasons: dict[str, list[str]] = {}
        first = next(iter(entries.values()))
        wanted = [("attack", entry["attack"], entry) for entry in entries.values()]
        wanted += [("victim", record, first) for record in first["victims"]]
        for kind, record, entry in wanted:
            try:
                networks = _networks(kind, record, entry, suite.card, shelf, device)
            except CamobenchError as error:
                reasons.setdefault(str(error), []).append(record["name"])
            else:
                found[kind][record["name"]] = networks
        yield Reopened(
            run=run,
            entries=entries,
            suite=suite,
            attacks=found["attack"],
            victims=found["victim"],
            verdicts=tuple(
                Verdict("networks", "skip", f"{listed(names)}: {reason}")
                for reason, names in reasons.items()
            ),
        )


def _suite(run: RunData, store: Store, progress: Progress) -> Suite:
    folder = store.data_folder(run.suite, run.fingerprint)
    if (folder / "suite.json").is_file():
        suite = open_suite(folder)
        if suite.has("C"):
            return suite
    if run.suite not in SIMULATED:
        raise ImagesMissingError(
            f"Set-C of {run.suite} ({run.fingerprint[:12]}) is not in the store; `camobench data "
            "prepare` makes it"
        )
    source = load_suite(run.suite)
    if source.card.fingerprint != run.fingerprint:
        raise ImagesMissingError(
            f"{run.suite} of this version has fingerprint {source.card.fingerprint[:12]}, the run "
            f"has {run.fingerprint[:12]}"
        )
    return prepare(source, store, ("C",), progress=progress)


def _networks(
    kind: str,
    record: dict[str, Any],
    entry: dict[str, Any],
    card: SuiteCard,
    shelf: Shelf,
    device: torch.device,
) -> Networks:
    """Networks that hold this attack or victim, with the key and the weights of the entry.

    Raises:
        CamobenchError: If they are not at hand; says why.
    """
    graph = plan_again(kind, record, entry, card, shelf.store)
    precision = Precision(name="mixed" if record.get("precision") == "bf16" else "fp32")
    networks = Networks(graph, shelf, device, precision=precision)
    require_scored(kind, record, networks)
    if record.get("challenge") is not None:
        require_kept(networks.attack(record["name"]))
    return networks
