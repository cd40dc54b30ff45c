"""Spec, builder and `fit`: what it touches, what it leaves, whether a seed gives the same again."""

from __future__ import annotations

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
from bench.verify.contract_checks.subject import (
    CLASSES,
    RECIPE,
    SEED,
    Difference,
    FaultError,
    Subject,
    advise,
    pixels,
    require,
    require_alike,
    skip,
)
from bench.wording import listed, plural

MORE_CLASSES = tuple(f"Camera {letter}" for letter in "ABCDE")
HANDED = {"attack": "Set-B and its surrogates", "victim": "Set-A"}
KEEP = (
    "keep all that `fit` learns in parameters or buffers: self.register_buffer(...), or pickled in "
    "a tensor of `get_extra_state`"
)
HARNESS = (
    *("bench.jobs", "bench.execute", "bench.plan", "bench.verify", "bench.challenge"),
    *("bench.store", "bench.suites", "bench.report", "bench.cli"),
    *("camobench.evaluate", "camobench.load_suite"),
)
"""What an attack or a victim must not import, beside the other side."""


def check_spec(subject: Subject) -> str:
    """The spec is plain, and what it names exists."""
    spec = subject.entry.spec
    json.dumps(as_json(spec))
    pickle.loads(pickle.dumps(spec))  # noqa: S301  # our own bytes
    unknown = [name for name in getattr(spec, "surrogates", ()) if name not in VICTIMS]
    require(
        not unknown,
        f"asks for surrogates that are not registered: {', '.join(unknown)}",
        "name victims of `camobench list victims`",
    )
    residual = getattr(spec, "residual", None)
    require(
        residual in (None, RESIDUAL_NAME),
        f"asks for the residual {residual!r}",
        f"the shared estimator is {RESIDUAL_NAME!r}",
    )
    found = f"{subject.kind} {spec.name}, version {spec.version}"
    shown = ("licence",) if subject.kind == "attack" else ("licence", "front_end")
    silent = [field for field in shown if getattr(spec, field) == NOT_STATED]
    advise(
        not silent,
        f"{found}; not stated: {', '.join(silent)}",
        "state it in the spec: tables and cards show it",
    )
    return found


def check_build(subject: Subject) -> str:
    """It is built for whatever classes a suite has."""
    base = Attack if subject.kind == "attack" else Victim
    for classes in (CLASSES, MORE_CLASSES):
        thing = subject.build(classes)
        require(
            isinstance(thing, base),
            f"the builder gives a {type(thing).__name__}",
            f"return an instance of a subclass of camobench.{base.__name__}",
        )
        require(
            thing.spec == subject.entry.spec,
            f"built with the spec of {thing.spec.name!r}",
            "hand `spec` on: super().__init__(spec, classes=classes, recipe=recipe)",
        )
        require(
            set(classes) <= set(thing.classes),
            f"built for {', '.join(classes)}, its classes are {', '.join(thing.classes)}",
            "hand `classes` on: super().__init__(spec, classes=classes, recipe=recipe); a victim "
            "trained elsewhere works on suites whose cameras it knows",
        )
    return f"for {len(CLASSES)} and for {len(MORE_CLASSES)} classes"


def check_hyperparameters(subject: Subject) -> str:
    """They are plain and stable, since keys hash them."""
    if (traits := subject.entry.traits) is not None:
        return ", ".join(traits(RECIPE).hyperparameters) or "none stated"
    one, other = (subject.build().stated_hyperparameters() for _ in range(2))
    require(
        digest(one) == digest(other),
        f"differ from build to build: {one} and {other}",
        "leave out what changes by itself (times, addresses): keys hash them",
    )
    return ", ".join(one) or "none stated"


def check_start(subject: Subject) -> str:
    """Two builds of one seed are the same, and without training any two are."""
    thing = subject.build()
    again = subject.build(seed=SEED if thing.learns else SEED + 1)
    one, other = ({**module_state(x, RECIPE), **dict(x.named_buffers())} for x in (thing, again))
    same = one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
    require(
        same or not thing.learns,
        "two builds of one seed differ",
        "draw initial weights with torch, which the harness seeds before it builds",
    )
    require(
        same,
        "weights differ from build to build, and there is no `fit` that trains them",
        "load them from a file that `hyperparameters` names as a Path, or write `fit`",
    )
    return "two builds have the same weights" if one else "no weights"


def check_imports(subject: Subject) -> str:
    """It imports neither the harness nor the other side."""
    files = makeup_of(subject.entry.builder).paths
    barred = (*HARNESS, "victims" if subject.kind == "attack" else "attacks")
    wrong = {
        f"{name} ({file.name} line {line})"
        for file in files
        for name, line in imports_of(file)
        if any(name == one or name.startswith(f"{one}.") for one in barred)
    }
    require(
        not wrong,
        f"imports {', '.join(sorted(wrong))}",
        f"use what `fit` is handed ({HANDED[subject.kind]}) and bench.contract, nets, signal, "
        "training",
    )
    return f"nothing that it may not, in {plural(len(files), 'source file')}"


def check_key(subject: Subject) -> str:
    """What its key hashes, and what it does not: looked at last, when all of it has run."""
    if subject.entry.origin is None:
        return f"version {subject.entry.spec.version} stands for its sources"
    subject.run(pixels(2, 64, 64))
    makeup = makeup_of(subject.entry.builder)
    opened = [
        path.name
        for path in files_opened_by(makeup.paths)
        if path not in makeup.paths and not is_in_store(path)
    ]
    packages = [f"{name} {version}" for name, version in makeup.distributions.items()]
    found = f"it hashes {listed([*makeup.files, *packages, *dict.fromkeys(opened)], 9)}"
    advise(
        not makeup.not_covered,
        f"{found}, and not: {'; '.join(makeup.not_covered)}",
        "name files as Paths in `hyperparameters`; `verify --rows` finds what moves the rows",
    )
    return found


def check_fit(subject: Subject) -> str:
    """It trains on what it is handed, and on nothing else."""
    thing = subject.build()
    if not thing.learns:
        skip("has no `fit`: nothing to train")
    subject.trains = False  # once is enough
    try:
        report = subject.train(thing)
        subject.thing = thing
    except Exception:
        if not subject.wrongs:
            raise
    require(
        not subject.wrongs,
        "; ".join(subject.wrongs),
        f"train from `data` and `context` alone: {HANDED[subject.kind]}, device, seed, recipe, "
        "progress, snapshots",
    )
    wild = [name for name, value in report.figures.items() if not math.isfinite(value)]
    require(
        not wild,
        f"NaN or infinite figures: {', '.join(wild)}",
        "look at the loss and the learning rate",
    )
    return f"trained on a tiny set in {report.seconds:.1f} s, touching nothing else"


def check_fit_again(subject: Subject) -> str:
    """One seed, one network."""
    if not subject.thing.learns:
        skip("has no `fit`: nothing to train")
    again = subject.build()
    subject.train(again)
    images = pixels(2, 64, 64)
    remedy = "draw random numbers from bench.training.loop.seeded_generator(context)"
    one, other = subject.run(images), subject.run(images, thing=again)
    return require_alike(one, other, "trained twice with one seed", remedy, advise)


def check_state(subject: Subject) -> str:
    """What a checkpoint holds is the whole network."""
    if not subject.thing.learns:
        skip("nothing is stored of what does not learn")
    state = module_state(subject.thing, RECIPE)
    with tempfile.TemporaryDirectory(prefix="camobench-check-") as folder:
        file = Path(folder) / "weights.safetensors"
        save_file({name: value.contiguous().cpu() for name, value in state.items()}, file)
        kept = load_file(file)
    fresh = subject.build(seed=1)
    problem = take_state(fresh, kept)
    require(
        not problem,
        f"a fresh build does not take the stored state: {problem}",
        "register the same names in `__init__`; a buffer whose size is learnt may be empty",
    )
    images = pixels(3, 65, 97)
    before = subject.run(images)
    try:
        moved = Difference(before, subject.run(images, thing=subject.ready(fresh)))
    except AttributeError as error:  # of scikit-learn's that are not fitted, too
        raise FaultError("fail", f"restored from its checkpoint: {error}", KEEP) from error
    lost = _not_stored(subject.thing, fresh) if moved.matters else []
    require(
        not lost,
        f"no checkpoint holds {', '.join(lost)}, registered with persistent=False: {moved}",
        "make it the same in every build, or register it without persistent=False",
    )
    require(
        not moved.matters,
        f"restored from its checkpoint it gives something else: {moved}",
        KEEP,
    )
    advise(
        state,
        "`fit` leaves no parameter and no buffer: there is nothing to store",
        "leave `fit` out if it learns nothing",
    )
    return f"{plural(len(state), 'tensor')} stored and restored: {moved}"


def _not_stored(trained: nn.Module, fresh: nn.Module) -> list[str]:
    """Buffers outside the state that differ between two builds."""
    stored, others = trained.state_dict(), dict(fresh.named_buffers())
    return [
        name
        for name, buffer in trained.named_buffers()
        if name not in stored
        and not torch.equal(buffer.cpu(), others.get(name, torch.empty(0)).cpu())
    ]
