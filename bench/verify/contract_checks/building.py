"""Spec, builder and `fit`: what it touches, what it leaves, whether a seed gives the same again."""

from __future__ import annotations

import copy
import json
import math
import pickle
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from bench.contract import NOT_STATED, VICTIMS, Attack, Victim
from bench.jobs.networks import module_state, take_state
from bench.recipes import RESIDUAL_NAME
from bench.sources import makeup_of
from bench.sources.imports import imports_of
from bench.sources.opened import files_opened_by
from bench.store import digest, is_in_store
from bench.types import as_json
from bench.verdicts import Verdict
from bench.verify.contract_checks.subject import (
    CLASSES,
    RECIPE,
    SEED,
    Subject,
    difference,
    fail,
    ok,
    pixels,
    skip,
    warn,
)
from bench.verify.contract_checks.watching import Watch, not_its_business
from bench.wording import listed, plural

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


MINE = {"attack": "Set-B and its surrogates", "victim": "Set-A"}


def check_imports(subject: Subject) -> Verdict:
    """It imports neither the harness nor the other side."""
    files = makeup_of(subject.entry.builder).paths
    wrong = {
        f"{one.name} ({one.file.name} line {one.line})"
        for file in files
        for one in imports_of(file)
        if not_its_business(one.name, subject.kind)
    }
    if wrong:
        return fail(
            f"imports {', '.join(sorted(wrong))}",
            f"use what `fit` is handed ({MINE[subject.kind]}) and bench.contract, nets, signal, "
            "training",
        )
    return ok(f"nothing that it may not, in {plural(len(files), 'source file')}")


def check_key(subject: Subject) -> Verdict:
    """What its key hashes, and what it does not: looked at last, when all of it has run."""
    if subject.entry.origin is None:
        return ok(f"version {subject.entry.spec.version} stands for its sources")
    makeup = makeup_of(subject.entry.builder)
    opened = [
        path.name
        for built in (True, False)
        for path in files_opened_by(makeup.paths, built=built)
        if path not in makeup.paths and not is_in_store(path)
    ]
    packages = [f"{name} {version}" for name, version in makeup.distributions.items()]
    hashed = listed([*makeup.files, *packages, *dict.fromkeys(opened)], 9)
    if makeup.not_covered:
        return warn(
            f"it hashes {hashed}, and not: {'; '.join(makeup.not_covered)}",
            "name files as Paths in `hyperparameters`; `verify --rows` finds what moves the rows",
        )
    return ok(f"it hashes {hashed}")


def check_fit(subject: Subject) -> Verdict:
    """It trains on what it is handed, and on nothing else."""
    thing = subject.build()
    if not thing.learns:
        return skip("has no `fit`: nothing to train")
    watch = Watch()
    try:
        report = subject.train(thing, watch)
    except Exception:
        subject.untrained = "untrained, since `fit` failed"
        if watch.wrongs:
            return _not_handed(subject, watch)
        raise
    subject.thing = thing
    if watch.wrongs:
        return _not_handed(subject, watch)
    wild = [name for name, value in report.figures.items() if not math.isfinite(value)]
    if wild:
        return fail(
            f"NaN or infinite figures: {', '.join(wild)}", "look at the loss and the learning rate"
        )
    return ok(f"trained on a tiny set in {report.seconds:.1f} s, touching nothing else")


def _not_handed(subject: Subject, watch: Watch) -> Verdict:
    return fail(
        "; ".join(watch.wrongs),
        f"train from `data` and `context` alone: {MINE[subject.kind]}, device, seed, recipe, "
        "progress, snapshots",
    )


def check_fit_again(subject: Subject) -> Verdict:
    """One seed gives one network."""
    if not subject.thing.learns or subject.untrained:
        return skip(subject.untrained or "nothing to train")
    again = subject.build()
    subject.train(again, Watch())
    images = pixels(2, 64, 64)
    moved = difference(subject.run(images), subject.run(images, thing=again))
    if moved.matters:
        return warn(
            f"trained twice with one seed, two networks: {moved}",
            "draw random numbers from bench.training.loop.seeded_generator(context)",
        )
    return ok(f"trained twice with one seed: {moved}")


def check_state(subject: Subject) -> Verdict:
    """What a checkpoint holds is the whole network."""
    if not subject.thing.learns or subject.untrained:
        return skip(subject.untrained or "nothing is stored of what does not learn")
    state = module_state(subject.thing, RECIPE)
    with tempfile.TemporaryDirectory(prefix="camobench-check-") as folder:
        file = Path(folder) / "weights.safetensors"
        save_file({name: value.contiguous().cpu() for name, value in state.items()}, file)
        kept = load_file(file)
    fresh = subject.build(seed=1)
    problem = take_state(fresh, kept)
    if problem:
        return fail(
            f"a fresh build does not take the stored state: {problem}",
            "register the same names in `__init__`; a buffer whose size is learnt may be empty",
        )
    images = pixels(3, 65, 97)
    moved = difference(subject.run(images), subject.run(images, thing=subject.ready(fresh)))
    if moved.matters:
        lost = _not_stored(subject.thing, fresh)
        if lost:
            return fail(
                f"no checkpoint holds {', '.join(lost)}, registered with persistent=False: {moved}",
                "make it the same in every build, or register it without persistent=False",
            )
        return fail(
            f"restored from its checkpoint it gives something else: {moved}",
            "keep all that `fit` learns in parameters or buffers: self.register_buffer(...)",
        )
    if not state:
        return warn(
            "`fit` leaves no parameter and no buffer: there is nothing to store",
            "leave `fit` out if it learns nothing",
        )
    return ok(f"{plural(len(state), 'tensor')} stored and restored: {moved}")


def _not_stored(trained: nn.Module, fresh: nn.Module) -> list[str]:
    """Buffers outside the state that differ between two builds."""
    builds = [
        {name: buffer.cpu() for name, buffer in one.named_buffers()} for one in (trained, fresh)
    ]
    stored = trained.state_dict().keys()
    return [
        name
        for name, buffer in builds[0].items()
        if name not in stored and not torch.equal(buffer, builds[1].get(name, torch.empty(0)))
    ]
