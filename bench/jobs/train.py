"""Trains one network and keeps its checkpoint; a killed training continues."""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import Timeout
from torch import Tensor
from torch.serialization import get_unsafe_globals_in_checkpoint

from bench.checks import to_unit
from bench.contract import ATTACKS, VICTIMS, FitContext, Snapshots, Victim
from bench.contract.fitting import timed_fit
from bench.contract.global_state import kept_global_state
from bench.jobs.aware import aware_set
from bench.jobs.building import untrained
from bench.jobs.job import TrainJob
from bench.jobs.networks import Networks, module_state, save_checkpoint, take_state
from bench.jobs.opened_files import note_opened
from bench.jobs.workplace import Workplace
from bench.registry import Entry
from bench.store import damaged, replacing
from bench.training.residual import fit_estimator
from bench.types import CamobenchError, Progress


def train_network(job: TrainJob, place: Workplace, progress: Progress) -> None:
    """Train one network and write its checkpoint, unless it is there."""
    folder = place.store.checkpoint_folder(job.kind, job.name, job.key)
    lock = place.store.lock("networks", job.kind, folder.name)
    try:
        held = lock.acquire(blocking=False)
    except Timeout:
        progress.start(f"waiting for another process: {job.label}", 1)
        held = lock.acquire()
        progress.finish()
    with held:
        if place.shelf.find(job.kind, job.name, job.key) is None:
            _train(job, place, progress)


def _train(job: TrainJob, place: Workplace, progress: Progress) -> None:
    store, device, keys = place.store, place.device, place.site.keys
    suite, name, recipe = place.suite, job.set_name, keys.recipe
    data: Any = suite.adversary_set() if name == "B" else suite.examiner_set(name)
    networks = Networks(keys, place.shelf, device)
    snapshot = store.snapshot_file(job.kind, job.name, job.key)
    module: Any = untrained(job, keys)
    entry: Entry[Any, Any] | None = None
    surrogates: dict[str, Victim] = {}
    if job.kind == "attack":
        entry = ATTACKS.get(job.name)
        surrogates = {name: networks.surrogate(name) for name in module.spec.surrogates}
    elif job.kind != "estimator":
        entry = VICTIMS.get(job.name)
        attacks = {networks.attack_digest(n): networks.attack(n) for n in module.spec.aware_of}
        if attacks:
            with kept_global_state():
                data = aware_set(data, attacks, suite.folder / name, device)
    context = FitContext(
        device=device,
        seed=job.seed,
        recipe=recipe,
        progress=progress,
        snapshots=snapshots_in(snapshot),
        surrogates=surrogates,
        label=job.label,
    )
    if entry is None:
        report = fit_estimator(job.label, module, data, recipe.estimator, context)
    else:
        with kept_global_state():
            report = timed_fit(partial(module.fit, data, context))
        note_opened(store, job.key, entry)
    state = {name: value.clone() for name, value in module_state(module, recipe).items()}
    if entry is not None and entry.origin is not None:
        _require_whole(module, state, job, networks, data)
    save_checkpoint(store, job, keys, state, report, device=device)
    snapshot.unlink(missing_ok=True)


@torch.no_grad()
def _require_whole(
    trained: Any, state: dict[str, Tensor], job: TrainJob, networks: Networks, data: Any
) -> None:
    """See that a plug-in's checkpoint makes of two images what the plug-in does as it was trained.

    Raises:
        CamobenchError: If it does not, though the plug-in by itself does the same twice.
    """
    device, restored = networks.device, untrained(job, networks.graph)
    images = torch.from_numpy(np.array(data.images[:2])).to(device)
    targets = torch.from_numpy((data.labels[:2] + 1) % len(data.classes)).to(device)

    def made(thing: Any) -> Tensor:
        if isinstance(thing, Victim):
            if thing.spec.residual is not None:
                thing.attach(networks.estimator(job.set_name), None)
            return thing.to(device).eval().checked_logits(to_unit(images)).softmax(1)
        out: Tensor = thing.to(device).eval()(images, targets) / 255
        return out

    try:
        with kept_global_state():
            if any(take_state(thing, state) for thing in (trained, restored)):
                return
            first, again, lost = made(trained), made(trained), ""
            try:
                other = made(restored)
            except AttributeError as error:  # of scikit-learn's that are not fitted, too
                other, lost = first + 1, f" ({error})"
    except Exception:  # whoever opens the checkpoint will be told
        return
    if torch.equal(first, again) and ((other - first).abs() > 1e-3).float().mean() > 0.01:
        raise CamobenchError(
            f"{job.name} does something else once it is restored from its checkpoint: keep all "
            "that `fit` learns in parameters or buffers (self.register_buffer(...)), or pickled in "
            f"a tensor of `get_extra_state`{lost}"
        )


def snapshots_in(path: Path) -> Snapshots:
    """The state of an unfinished training, in a file."""

    def load() -> dict[str, Any] | None:
        if not path.is_file():
            return None
        try:
            with zipfile.ZipFile(path) as archive:  # torch looks at no checksum
                if part := archive.testzip():
                    raise ValueError(f"the checksum of {part} is another")
            # Our own file, in the user's own store; it holds optimiser state beside tensors.
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except (OSError, MemoryError):
            raise
        except Exception as error:  # whatever a damaged file makes it raise
            raise damaged(path, " ".join(str(error).split())) from error
        return state

    def save(state: dict[str, Any]) -> None:
        with replacing(path) as target:
            torch.save(state, target)
            if odd := get_unsafe_globals_in_checkpoint(target):
                raise CamobenchError(
                    f"a snapshot that holds {', '.join(sorted(odd))} could not be loaded: save "
                    "tensors, numbers, text, and lists, sets and dicts of them"
                )

    return Snapshots(load=load, save=save)
