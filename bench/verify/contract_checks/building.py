"""Spec, builder and hyper-parameters."""

from __future__ import annotations

import copy
import json
import pickle

import torch

from bench.contract import NOT_STATED, VICTIMS, Attack, Victim
from bench.recipes import RESIDUAL_NAME
from bench.store import digest
from bench.types import as_json
from bench.verdicts import Verdict
from bench.verify.contract_checks.subject import CLASSES, SEED, Subject
from bench.verify.contract_checks.verdicts import BUILT, Check, fail, ok, warn

MORE_CLASSES = tuple(f"Camera {letter}" for letter in "ABCDE")


def check_spec(subject: Subject) -> Verdict:
    """The spec is plain, and what it names exists."""
    spec = subject.entry.spec
    json.dumps(as_json(spec))
    pickle.loads(pickle.dumps(spec))  # noqa: S301  # our own bytes
    unknown = [name for name in getattr(spec, "surrogates", ()) if name not in VICTIMS]
    if unknown:
        return fail(
            f"asks for surrogates that are not registered: {', '.join(unknown)}",
            "name victims of `camobench list victims`",
        )
    if getattr(spec, "residual", None) not in (None, RESIDUAL_NAME):
        return fail(
            f"asks for the residual {spec.residual!r}", f"the shared estimator is {RESIDUAL_NAME!r}"
        )
    shown = ("licence",) if subject.kind == "attack" else ("licence", "front_end")
    silent = [field for field in shown if getattr(spec, field) == NOT_STATED]
    found = f"{subject.kind} {spec.name}, version {spec.version}"
    if silent:
        remedy = "state it in the spec: tables and cards show it"
        return warn(f"{found}; not stated: {', '.join(silent)}", remedy)
    return ok(found)


def check_build(subject: Subject) -> Verdict:
    """It is built for whatever classes a suite has."""
    base = Attack if subject.kind == "attack" else Victim
    for classes in (CLASSES, MORE_CLASSES):
        thing = subject.build(classes)
        if not isinstance(thing, base):
            return fail(
                f"the builder gives a {type(thing).__name__}",
                f"return an instance of a subclass of camobench.{base.__name__}",
            )
        if thing.spec != subject.entry.spec:
            return fail(
                f"built with the spec of {thing.spec.name!r}",
                "hand `spec` on: super().__init__(spec, classes=classes, recipe=recipe)",
            )
        if set(classes) - set(thing.classes):
            return fail(
                f"built for {', '.join(classes)}, its classes are {', '.join(thing.classes)}",
                "hand `classes` on: super().__init__(spec, classes=classes, recipe=recipe); a "
                "victim trained elsewhere works on suites whose cameras it knows",
            )
    return ok(f"for {len(CLASSES)} and for {len(MORE_CLASSES)} classes")


def check_hyperparameters(subject: Subject) -> Verdict:
    """They are plain and stable, since keys hash them."""
    one, other = (subject.build().stated_hyperparameters() for _ in range(2))
    if digest(one) != digest(other):
        return fail(
            f"differ from build to build: {one} and {other}",
            "leave out what changes by itself (times, addresses): keys hash them",
        )
    return ok(", ".join(one) or "none stated")


def check_start(subject: Subject) -> Verdict:
    """Two builds of one seed are the same, and without training any two are."""
    thing = subject.build()
    again = subject.build(seed=SEED if thing.learns else SEED + 1)
    one, other = ({**x.state_dict(), **dict(x.named_buffers())} for x in (thing, again))
    same = one.keys() == other.keys() and all(
        torch.equal(value, other[name]) for name, value in one.items()
    )
    if same:
        return ok("two builds have the same weights" if one else "no weights")
    if thing.learns:
        return fail(
            "two builds of one seed differ",
            "draw initial weights with torch, which the harness seeds before it builds",
        )
    return fail(
        "weights differ from build to build, and there is no `fit` that trains them",
        "load them from a file that `hyperparameters` names as a Path, or write `fit`",
    )


def check_copies(subject: Subject) -> Verdict:
    """It can be copied and sent to another process."""
    try:
        copy.deepcopy(subject.thing)
        pickle.dumps(subject.thing)
    except Exception as error:
        reason = " ".join(str(error).split())
        return warn(
            f"cannot be copied or pickled: {reason}",
            "keep functions of the module, not lambdas or open files, as attributes",
        )
    return ok("can be copied and pickled")


CHECKS = (
    Check(name="spec", run=check_spec),
    Check(name="build", run=check_build),
    Check(name="hyperparameters", run=check_hyperparameters, needs=BUILT),
    Check(name="initial weights", run=check_start, needs=BUILT),
)
LATER = (Check(name="copies", run=check_copies, needs=BUILT),)
