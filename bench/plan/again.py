"""The networks of a run, planned again from its entries: are they still those that were scored?"""

from __future__ import annotations

from collections.abc import Iterable

from bench.contract import ATTACKS, REGISTRIES
from bench.jobs.networks import Networks
from bench.jobs.scoring.score import KEY_DIGITS
from bench.plan.cells import cell_stem
from bench.plan.graph import Graph, plan
from bench.recipes import get_recipe
from bench.records.participants import AttackRecord, Participant, VictimRecord
from bench.records.run import RunData
from bench.registry import UnknownNameError
from bench.store import Store
from bench.suites.base import SuiteCard
from bench.types import CamobenchError


def plan_again(
    run: RunData, records: Iterable[Participant], card: SuiteCard, store: Store
) -> tuple[Graph, list[Participant], list[tuple[Participant, str]]]:
    """Lay out the trainings of attacks and victims of a run.

    Returns:
        Their graph; those that have the keys of their entries; the others, and why.
    """
    able, same, left = list[Participant](), list[Participant](), list[tuple[Participant, str]]()
    for record in records:
        try:
            _require_known(record)
            _plan(run, [record], card, store)
        except (CamobenchError, UnknownNameError) as error:
            left.append((record, str(error.args[0])))
        else:
            able.append(record)
    graph = _plan(run, able, card, store)  # one file's things are told by each other, too
    for record in able:
        keys = graph.attacks if isinstance(record, AttackRecord) else graph.victims
        if keys[record.name][:KEY_DIGITS] == record.key:
            same.append(record)
        else:
            left.append((record, "today's code would make another network under this name"))
    return graph, same, left


def require_scored(record: Participant, networks: Networks) -> str:
    """The digest of an attack or a victim, if the weights at hand are those of its entry.

    Raises:
        CamobenchError: If they are others, or not there.
    """
    is_attack = isinstance(record, AttackRecord)
    found = networks.attack_digest(record.name) if is_attack else cell_stem(networks, record.name)
    if found != record.digest:
        raise CamobenchError("the weights at hand are others than those that were scored")
    return found


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
