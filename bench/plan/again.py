"""Images and networks of a run, found again from its entries: are they still those of then?"""

from __future__ import annotations

from collections.abc import Iterable

from bench.contract import ATTACKS, REGISTRIES
from bench.jobs.job import Keys
from bench.jobs.networks import Networks
from bench.jobs.scoring.score import KEY_DIGITS
from bench.plan.graph import plan
from bench.recipes import get_recipe
from bench.records.participants import AttackRecord, Participant, VictimRecord
from bench.records.run import RunData
from bench.registry import UnknownNameError
from bench.store import Store
from bench.suites.base import Suite, SuiteCard, open_suite, prepare
from bench.suites.catalogue import load_suite
from bench.suites.simcam.plan import SIMULATED
from bench.types import CamobenchError, Progress, SetName


class NotAtHandError(CamobenchError):
    """Sets of a run, or its recipe, are neither kept nor can they be made again."""


def suite_again(run: RunData, store: Store, sets: tuple[SetName, ...], progress: Progress) -> Suite:
    """The suite of a run: sets that the store lacks are made again.

    Raises:
        NotAtHandError: If they cannot be, or would be others.
        CamobenchError: If one is damaged.
    """
    folder = store.data_folder(run.suite, run.fingerprint)
    suite = open_suite(folder) if (folder / "suite.json").is_file() else None
    lacking = [one for one in sets if suite is None or not suite.has(one)]
    if suite is not None and not lacking:
        for one in sets:
            suite.verify(one)
        return suite
    if run.suite not in SIMULATED:
        raise NotAtHandError(
            f"Set-{lacking[0]} of {run.suite} ({run.fingerprint[:12]}) is not in the store; "
            "`camobench data prepare` with the same suite and options, such as --root, makes it"
        )
    source = load_suite(run.suite)
    if source.card.fingerprint != run.fingerprint:
        raise NotAtHandError(
            f"{run.suite} of this version has fingerprint {source.card.fingerprint[:12]}, the run "
            f"has {run.fingerprint[:12]}"
        )
    return prepare(source, store, sets, progress=progress)


def plan_again(
    run: RunData, records: Iterable[Participant], card: SuiteCard, store: Store
) -> tuple[Keys, list[Participant], list[tuple[Participant, str]]]:
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
        elif record.challenge is not None:
            left.append((record, "other images were sent under this name"))
        else:
            left.append((record, "today's code would make another network under this name"))
    return graph, same, left


def require_scored(record: Participant, networks: Networks) -> str:
    """The digest of an attack or a victim, if the weights at hand are those of its entry.

    Raises:
        CamobenchError: If they are others, or not there.
    """
    is_attack = isinstance(record, AttackRecord)
    found = (networks.attack_digest if is_attack else networks.victim_stem)(record.name)
    if found != record.digest:
        raise CamobenchError("the weights at hand are others than those that were scored")
    return found


def _plan(run: RunData, records: Iterable[Participant], card: SuiteCard, store: Store) -> Keys:
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
