"""What stands beside a new row or column: that which the store holds already.

`run --attack my.py:MyAttack` shows its row beside the controls and every row that is complete;
`run --victim my.py:MyVictim` scores its column on every attack that the store has rows of, and
where it has none yet, on every attack whose network is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bench.contract import ATTACKS, VICTIMS
from bench.plan.dry_run import find_missing
from bench.plan.names.selection import select_attacks
from bench.plan.request import Request, open_session
from bench.store import Store


def beside_rows(request: Request, store: Store) -> Request:
    """Add the controls, and every attack that is scored on all the request's victims."""
    others = _others(request)
    missing = find_missing(open_session(replace(request, attacks=others), store))
    return _with_attacks(request, [name for name in others if name not in missing.cells])


def beside_columns(
    request: Request, store: Store, *, add_victims: bool = True, plug_ins: Sequence[str] = ()
) -> Request:
    """Add the controls, the attacks in the store, and perhaps victims that those are complete on.

    `plug_ins` are those attacks of `recorded_plugins` that have rows.
    """
    attacks = (*_others(request), *plug_ins)
    more = bool(request.source.card.more_models)
    known = [e.spec.name for e in VICTIMS if e.origin is None and (more or not e.spec.more_models)]
    victims = tuple(dict.fromkeys((*known, *request.victims)))
    asked = replace(request, attacks=attacks, victims=victims)
    missing = find_missing(open_session(asked, store))
    holes = {name: set(missing.cells.get(name, ())) for name in attacks}
    scored = [name for name in attacks if len(holes[name]) < len(victims)]
    untrained = {job.name for job in missing.jobs if job.kind == "attack"}
    chosen = scored or [name for name in attacks if name not in untrained]
    if add_victims and scored:
        complete = [name for name in victims if not any(name in holes[other] for other in scored)]
        request = replace(request, victims=tuple(dict.fromkeys((*request.victims, *complete))))
    return _with_attacks(request, [*chosen, *plug_ins])


def _others(request: Request) -> tuple[str, ...]:
    """Attacks that could stand beside those of the request and the controls."""
    there = {*select_attacks("controls"), *request.attacks}
    fit = [e.spec for e in ATTACKS if e.origin is None and not e.spec.preliminary]
    return tuple(spec.name for spec in fit if spec.name not in there)


def _with_attacks(request: Request, names: list[str]) -> Request:
    attacks = (*request.attacks, *select_attacks("controls"), *names)
    return replace(request, attacks=tuple(dict.fromkeys(attacks)))
