"""`fit`: what it touches, what it leaves, whether the same seed gives the same again."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from bench.jobs.networks import module_state, take_state
from bench.sources import makeup_of
from bench.sources.imports import imports_of
from bench.sources.opened import files_opened_by
from bench.store import is_in_store
from bench.verdicts import Verdict
from bench.verify.contract_checks.comparing import difference
from bench.verify.contract_checks.subject import RECIPE, Subject, pixels
from bench.verify.contract_checks.verdicts import ANY_SIZE, RUNS, Check, fail, ok, skip, warn
from bench.verify.contract_checks.watching import Watch, not_its_business
from bench.wording import listed, plural

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
    if moved.largest > moved.tolerance:
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
    if moved.largest > moved.tolerance:
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


CHECKS = (
    Check(name="imports", run=check_imports),
    Check(name="fit", run=check_fit, needs=("spec", "build", "imports")),
)
LATER = (
    Check(name="fit, again", run=check_fit_again, needs=(*RUNS, "fit")),
    Check(name="state", run=check_state, needs=ANY_SIZE),
    Check(name="key", run=check_key, needs=(*RUNS, "fit")),
)
