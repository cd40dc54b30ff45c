"""From a run folder back to the networks and images that it was made with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from bench.contract import ATTACKS, REGISTRIES
from bench.jobs.networks import Networks, Shelf
from bench.jobs.scoring.precision import Precision
from bench.jobs.scoring.score import KEY_DIGITS
from bench.plan.answers.images import require_kept
from bench.plan.answers.kept import answered_rows_of, known
from bench.plan.cells import cell_stem
from bench.plan.graph import Graph, plan
from bench.recipes import get_recipe
from bench.records.load import load_run
from bench.records.participants import AttackRecord, Participant, VictimRecord
from bench.records.run import RunData
from bench.registry import UnknownNameError
from bench.store import Store
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
        networks: In the precision of the entries.
        attacks: Names of those that are the ones of the entries; `victims` likewise.
        verdicts: One for each reason why others are missing.
    """

    run: RunData
    suite: Suite
    networks: Networks
    attacks: tuple[str, ...]
    victims: tuple[str, ...]
    verdicts: tuple[Verdict, ...]


@contextmanager
def reopened(
    folder: Path, store: Store, device: torch.device, progress: Progress
) -> Iterator[Reopened]:
    """Open images and networks of a run; keys and weights have to be those of its entries.

    They are the store's, or those that ship. Inside the block the rows of the run that answered a
    challenge are known, where the store keeps their images.

    Raises:
        ImagesMissingError: If its Set-C is not at hand.
    """
    run = load_run(folder)
    reasons: dict[str, list[str]] = defaultdict(list)

    @contextmanager
    def or_reason(record: Participant) -> Iterator[None]:
        try:
            yield
        except (CamobenchError, UnknownNameError) as error:
            reasons[str(error.args[0])].append(record.name)

    with known(answered_rows_of(store, (entry.as_json() for entry in run.entries))):
        suite = _suite(run, store, progress)
        able, same = list[Participant](), list[Participant]()
        for record in (*run.attacks, *run.victims):
            with or_reason(record):
                _require_known(record)
                _plan(run, [record], suite.card, store)
                able.append(record)
        graph = _plan(run, able, suite.card, store)  # one file's things are told by each other, too
        exact = tuple(victim.name for victim in run.victims if victim.precision != "bf16")
        precision = Precision(name="mixed", exempt=exact)
        networks = Networks(graph, Shelf(store=store), device, precision=precision)
        for record in able:
            with or_reason(record):
                _require_same(record, networks)
                same.append(record)
        yield Reopened(
            run=run,
            suite=suite,
            networks=networks,
            attacks=tuple(one.name for one in same if isinstance(one, AttackRecord)),
            victims=tuple(one.name for one in same if isinstance(one, VictimRecord)),
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


def _plan(run: RunData, records: Iterable[Participant], card: SuiteCard, store: Store) -> Graph:
    first, every = run.entries[0], list(records)
    return plan(
        card,
        get_recipe(run.recipe),
        seed=first.seed,
        attack_seed=first.attack_seed,
        attacks=[one.name for one in every if isinstance(one, AttackRecord)],
        victims=[one.name for one in every if isinstance(one, VictimRecord)],
        store=store,
    )


def _require_known(record: Participant) -> None:
    """Refuse what nothing here is registered for, where there is more to say than that."""
    kind = "attack" if isinstance(record, AttackRecord) else "victim"
    if record.plug_in is not None and record.name not in REGISTRIES[kind]:
        raise CamobenchError(f"from {record.plug_in.origin}; name it with --plugin FILE.py:CLASS")
    if record.challenge is not None and not (kind == "attack" and record.name in ATTACKS):
        kept = ", and keeps its images" if kind == "attack" else ""
        raise CamobenchError(
            f"{kind} made elsewhere; `camobench score` takes its answer again{kept}"
        )


def _require_same(record: Participant, networks: Networks) -> None:
    """Refuse what has another key or other weights than those that were scored."""
    name, graph = record.name, networks.graph
    is_attack = isinstance(record, AttackRecord)
    key = (graph.attacks if is_attack else graph.victims)[name]
    if key[:KEY_DIGITS] != record.key:
        raise CamobenchError("today's code would make another network under this name")
    found = networks.attack_digest(name) if is_attack else cell_stem(networks, name)
    if found != record.digest:
        raise CamobenchError("the weights at hand are others than those that were scored")
    if record.challenge is not None:
        require_kept(networks.attack(name))
