"""From a run folder back to the networks and images that it was made with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from bench.jobs.networks import Networks, Shelf
from bench.jobs.scoring.precision import Precision
from bench.plan.again import NotAtHandError, plan_again, require_scored, suite_again
from bench.plan.answers.images import require_kept
from bench.plan.answers.kept import answered_rows, known
from bench.records.load import load_run
from bench.records.participants import AttackRecord, Participant, VictimRecord
from bench.records.run import RunData
from bench.store import Store
from bench.suites.base import Suite
from bench.types import CamobenchError, Progress
from bench.verdicts import Verdict
from bench.wording import listed


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
        NotAtHandError: If its Set-C or its recipe is not at hand.
    """
    run, reasons = load_run(folder), defaultdict[str, list[str]](list)
    with known(answered_rows(store, run.suite, run.fingerprint)):
        suite, same = suite_again(run, store, ("C",), progress), list[Participant]()
        records = (*run.attacks, *run.victims)
        try:
            graph, able, left = plan_again(run, records, suite.card, store)
        except CamobenchError as error:
            raise NotAtHandError(str(error)) from error
        exact = tuple(victim.name for victim in run.victims if victim.precision != "bf16")
        precision = Precision(name="mixed", exempt=exact)
        networks = Networks(graph, Shelf(store=store), device, precision=precision)
        for record in able:
            try:
                require_scored(record, networks)
                if record.challenge is not None:
                    require_kept(networks.attack(record.name))
            except CamobenchError as error:
                left.append((record, str(error)))
            else:
                same.append(record)
        for record, reason in left:
            reasons[reason].append(record.name)
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
