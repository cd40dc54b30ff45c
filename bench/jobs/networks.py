"""From a key to a running network, and from a trained network to a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bench.contract import VICTIMS, Attack, Victim
from bench.contract.global_state import use_exact_fp32
from bench.jobs.building import build_attack, build_victim, drawing_alike, taught_classes, traits_of
from bench.jobs.job import Keys, TrainJob
from bench.jobs.scoring.precision import (
    REDUCED_VERSION,
    Precision,
    VictimPrecision,
    make_ready,
    ready_network,
)
from bench.nets.fast_layers import CLOSE
from bench.nets.residual import ResidualEstimator
from bench.nets.storage import compact_state, expand_state, make_room
from bench.provenance import provenance
from bench.recipes import RESIDUAL_NAME, Recipe
from bench.store import (
    Checkpoint,
    Store,
    digest,
    file_digest,
    open_checkpoint,
    replacing,
    write_sealed,
)
from bench.suites.base import set_c_checksum
from bench.types import CamobenchError, FitReport, Json, SetName, as_json
from bench.wording import listed

STEM_DIGITS = 24


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Where checkpoints are looked for: the store, then what ships with the package.

    Attributes:
        shipped: Use the shipped networks; `--from-scratch` does not.
    """

    store: Store
    shipped: bool = True

    def find(self, kind: str, name: str, key: str) -> Checkpoint | None:
        """The checkpoint with this key, or `None`."""
        found = open_checkpoint(self.store.checkpoint_folder(kind, name, key))
        if found is None and self.shipped:
            found = open_checkpoint(shipped_folder(kind, name, key))
        if found is not None and found.card["key"] != key:
            raise CamobenchError(f"checkpoint {found.path} has another key on its card; remove it")
        return found


def shipped_root() -> Path:
    """Folder of the networks that ship with the package."""
    with as_file(files("bench") / "assets" / "mini") as path:
        return path


def shipped_folder(kind: str, name: str, key: str) -> Path:
    """Where the shipped checkpoint with this key would be."""
    return shipped_root() / kind / f"{name}-{key[:16]}"


def save_checkpoint(
    store: Store,
    job: TrainJob,
    graph: Keys,
    state: Mapping[str, Tensor],
    report: FitReport,
    *,
    device: torch.device | None = None,
) -> Checkpoint:
    """Write weights and card in one step; the card says on which `device` it was trained."""
    folder = store.checkpoint_folder(job.kind, job.name, job.key)
    with replacing(folder) as target:
        target.mkdir()
        weights = target / "weights.safetensors"
        save_file({name: tensor.contiguous().cpu() for name, tensor in state.items()}, weights)
        write_sealed(
            target / "card.json",
            {
                "kind": job.kind,
                "name": job.name,
                "key": job.key,
                "trained_on": f"Set-{job.set_name}",
                "suite": graph.suite.name,
                "suite_fingerprint": graph.suite.fingerprint,
                "classes": graph.suite.taught(job.set_name),
                "recipe": graph.recipe.name,
                "hyperparameters": _hyperparameters(job, graph),
                "seed": job.seed,
                "needs": job.needs,
                "weights_sha256": file_digest(weights),
                "figures": {name: round(value, 6) for name, value in report.figures.items()},
                "curves": as_json(report.curves),
                "seconds": round(report.seconds, 1),
                "provenance": {**provenance(), "device": None if device is None else str(device)},
            },
        )
    return cast("Checkpoint", open_checkpoint(folder))


def _hyperparameters(job: TrainJob, graph: Keys) -> Json:
    if job.kind == "estimator":
        return {"estimator": as_json(graph.recipe.estimator)}
    kind = "attack" if job.kind == "attack" else "victim"
    traits, _ = traits_of(kind, job.name, graph.suite, graph.recipe)
    return dict(traits.hyperparameters)


def module_state(module: nn.Module, recipe: Recipe) -> dict[str, Tensor]:
    """What a checkpoint of `module` holds: no shared parts, compact if the recipe says so.

    Raises:
        CamobenchError: If some of it is no tensor.
    """
    state = compact_state(module) if recipe.compact else dict(module.state_dict())
    if odd := [name for name, value in state.items() if not isinstance(value, Tensor)]:
        raise CamobenchError(
            f"its state holds {listed(odd)}, which is no tensor; return a tensor from "
            "`get_extra_state`, of bytes where it pickles"
        )
    return {name: value for name, value in state.items() if not is_shared(module, name)}


def is_shared(module: nn.Module, name: str) -> bool:
    """Whether a parameter is of a front-end that others share."""
    return isinstance(module, Victim) and name.startswith(tuple(module.shared_prefixes) or "\0")


def restore(module: nn.Module, checkpoint: Checkpoint, device: torch.device) -> None:
    """Load verified weights into `module`, frozen and in evaluation mode, on `device`.

    Raises:
        CamobenchError: If the weights are damaged or belong to another architecture.
    """
    checkpoint.verify()
    try:
        problem = take_state(module, load_file(checkpoint.weights))
    except SafetensorError as error:
        problem = " ".join(str(error).split())
    if problem:
        raise CamobenchError(
            f"the checkpoint does not fit {type(module).__name__}: build all that `fit` fills in "
            "`__init__`, or give its spec another version, and it is trained anew "
            f"({checkpoint.path}: {problem})"
        )
    module.to(device).eval().requires_grad_(False)


def take_state(module: nn.Module, stored: dict[str, Tensor]) -> str:
    """Load what `module_state` gave into another build of the module.

    Returns:
        What does not fit; "" where all does.
    """
    make_room(module, stored)
    try:
        problems = module.load_state_dict(expand_state(stored), strict=False)
    except RuntimeError as error:
        return " ".join(str(error).split())
    missing = [name for name in problems.missing_keys if not is_shared(module, name)]
    odd = [*(f"no {name}" for name in missing), *(f"surplus {n}" for n in problems.unexpected_keys)]
    return listed(odd)


class Networks:
    """Opens the networks of a graph, each once, and knows their digests without opening them.

    Args:
        precision: Rewrite victims and attacks for scoring in this precision; by default they stay
            as they were trained. Surrogates always do.

    Attributes:
        set_c: SHA-256 of the images of Set-C, if the store has them and it is known.
    """

    def __init__(
        self,
        graph: Keys,
        shelf: Shelf,
        device: torch.device,
        *,
        precision: Precision | None = None,
    ) -> None:
        use_exact_fp32()
        self.set_c = set_c_checksum(shelf.store, graph.suite.name, graph.suite.fingerprint)
        self.graph, self.shelf, self.device, self.precision = graph, shelf, device, precision
        self._estimators: dict[SetName, ResidualEstimator] = {}
        self._victims: dict[str, Victim] = {}

    def victim(self, name: str) -> Victim:
        """A trained victim."""
        if name not in self._victims:
            victim = self._classifier(name, "victim", self.graph.victims[name], "A")
            if self.precision is not None:
                make_ready(victim, self.device, self.victim_precision(name))
            self._victims[name] = victim
        return self._victims[name]

    def surrogate(self, name: str) -> Victim:
        """A victim trained on Set-B, frozen but differentiable."""
        return self._classifier(name, "surrogate", self.graph.surrogates[name], "B")

    def attack(self, name: str) -> Attack:
        """A trained attack."""
        key = self._attack_key(name)
        with drawing_alike(self.graph, key):
            attack = build_attack(name, self.graph.suite.classes, self.graph.recipe)
        if attack.learns:
            restore(attack, self._checkpoint("attack", name, key), self.device)
        attack.to(self.device).eval()
        if self.precision is not None:
            make_ready(attack, self.device)
        return attack

    def estimator(self, set_name: SetName) -> ResidualEstimator:
        """The residual estimator of a set."""
        if set_name not in self._estimators:
            estimator = ResidualEstimator(self.graph.recipe.estimator)
            restore(estimator, self._estimator_checkpoint(set_name), self.device)
            if self.precision is not None and set_name == "A":
                estimator.network = ready_network(estimator.network, self.device)
            self._estimators[set_name] = estimator
        return self._estimators[set_name]

    def reads_residual(self, name: str) -> bool:
        """Whether a victim reads images through the shared residual estimator."""
        return VICTIMS.get(name).spec.residual is not None

    def victim_stem(self, name: str) -> str:
        """Digest of all behind a victim's logits, which names the files of its rows.

        That is its key, its weights and its estimator's, and its precision: fp32 adds nothing.
        """
        residual = self.reads_residual(name)
        estimator = self._estimator_checkpoint("A").sha256 if residual else None
        found = digest([self._weights("victim", name, self.graph.victims[name]), estimator])
        if self.victim_precision(name) == "bf16":
            found = digest([found, "bf16", REDUCED_VERSION, CLOSE])
        return found[:STEM_DIGITS]

    def victim_precision(self, name: str) -> VictimPrecision:
        """The precision that a victim's backbone computes in."""
        if self.precision is None or name not in self.graph.reducible:
            return "fp32"
        return self.precision.of(name)

    def attack_digest(self, name: str) -> str:
        """Digest of everything behind an attack's images: its key and its weights."""
        return digest(self._weights("attack", name, self._attack_key(name)))

    def _attack_key(self, name: str) -> str:
        return {**self.graph.known, **self.graph.attacks}[name]

    def _weights(self, kind: str, name: str, key: str) -> list[str]:
        learned = key in self.graph.jobs
        return [key, self._checkpoint(kind, name, key).sha256 if learned else "none"]

    def _classifier(self, name: str, kind: str, key: str, set_name: SetName) -> Victim:
        classes = taught_classes(name, self.graph.suite)
        with drawing_alike(self.graph, key):
            victim = build_victim(name, classes, self.graph.recipe)
        if victim.learns:
            restore(victim, self._checkpoint(kind, name, key), self.device)
        if victim.spec.residual is not None:
            sha256 = self._estimator_checkpoint(set_name).sha256
            victim.attach(self.estimator(set_name), sha256)
        return victim.to(self.device).eval()

    def _estimator_checkpoint(self, set_name: SetName) -> Checkpoint:
        return self._checkpoint("estimator", RESIDUAL_NAME, self.graph.estimators[set_name])

    def _checkpoint(self, kind: str, name: str, key: str) -> Checkpoint:
        checkpoint = self.shelf.find(kind, name, key)
        if checkpoint is None:
            raise CamobenchError(
                f"{kind} {name} is not trained for {self.graph.suite.name} with recipe "
                f"{self.graph.recipe.name}; `camobench train` or `camobench run` trains it"
            )
        return checkpoint
