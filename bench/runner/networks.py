"""From a key to a running network, and from a trained network to a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bench.contract import Attack, Victim
from bench.nets.storage import compact_state, expand_state
from bench.recipes import Recipe
from bench.runner.graph import Graph, Job, build_attack, build_victim
from bench.store import (
    Checkpoint,
    Store,
    digest,
    file_digest,
    open_checkpoint,
    replacing,
    write_json,
)
from bench.training.residual import ResidualEstimator
from bench.types import CamobenchError, FitReport, SetName, as_json


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
        found = self.store.checkpoint(kind, name, key)
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
    store: Store, job: Job, graph: Graph, state: Mapping[str, Tensor], report: FitReport
) -> Checkpoint:
    """Write weights and card in one step."""
    folder = store.checkpoint_folder(job.kind, job.name, job.key)
    with replacing(folder) as target:
        target.mkdir()
        weights = target / "weights.safetensors"
        save_file({name: tensor.contiguous().cpu() for name, tensor in state.items()}, weights)
        write_json(
            target / "card.json",
            {
                "kind": job.kind,
                "name": job.name,
                "key": job.key,
                "trained_on": f"Set-{job.set_name}",
                "suite": graph.suite.name,
                "suite_fingerprint": graph.suite.fingerprint,
                "classes": graph.suite.classes,
                "recipe": graph.recipe.name,
                "seed": job.seed,
                "needs": job.needs,
                "weights_sha256": file_digest(weights),
                "figures": {name: round(value, 6) for name, value in report.figures.items()},
                "curves": as_json(report.curves),
                "seconds": round(report.seconds, 1),
            },
        )
    found = open_checkpoint(folder)
    if found is None:
        raise CamobenchError(f"checkpoint {folder} vanished while it was written")
    return found


def module_state(module: nn.Module, recipe: Recipe) -> dict[str, Tensor]:
    """What a checkpoint of `module` holds: no shared parts, compact if the recipe says so."""
    state = compact_state(module) if recipe.compact else dict(module.state_dict())
    prefixes = module.shared_prefixes if isinstance(module, Victim) else ()
    return {name: value for name, value in state.items() if not name.startswith(prefixes or "\0")}


def restore(module: nn.Module, checkpoint: Checkpoint, device: torch.device) -> None:
    """Load verified weights into `module`, frozen and in evaluation mode, on `device`.

    Raises:
        CamobenchError: If the weights are damaged or belong to another architecture.
    """
    checkpoint.verify()
    try:
        state = expand_state(load_file(checkpoint.weights))
        problems = module.load_state_dict(state, strict=False)
    except (RuntimeError, SafetensorError) as error:
        raise CamobenchError(
            f"checkpoint {checkpoint.path} does not fit {type(module).__name__}: {error}"
        ) from error
    prefixes = module.shared_prefixes if isinstance(module, Victim) else ()
    missing = [name for name in problems.missing_keys if not name.startswith(prefixes or "\0")]
    if missing or problems.unexpected_keys:
        raise CamobenchError(
            f"checkpoint {checkpoint.path} does not fit {type(module).__name__}: "
            f"missing {missing}, unexpected {problems.unexpected_keys}"
        )
    module.to(device).eval().requires_grad_(False)


class Networks:
    """Opens the networks of a graph, each once.

    Args:
        graph: Says which key each network has.
        shelf: Where checkpoints are.
        device: Where networks run.
    """

    def __init__(self, graph: Graph, shelf: Shelf, device: torch.device) -> None:
        self.graph, self.shelf, self.device = graph, shelf, device
        self._estimators: dict[SetName, tuple[ResidualEstimator, str]] = {}

    def victim(self, name: str) -> tuple[Victim, str]:
        """A trained victim, and the digest of all weights behind its logits."""
        return self._classifier(name, "victim", self.graph.victims[name], "A")

    def surrogate(self, name: str) -> Victim:
        """A victim trained on Set-B, frozen but differentiable."""
        return self._classifier(name, "surrogate", self.graph.surrogates[name], "B")[0]

    def attack(self, name: str) -> tuple[Attack, str]:
        """A trained attack, and the digest of its weights."""
        attack = build_attack(name, self.graph.suite.classes, self.graph.recipe)
        key = self.graph.attacks[name]
        weights = self._restore(attack, "attack", name, key) if attack.learns else "none"
        return attack.to(self.device).eval(), digest([key, weights])

    def estimator(self, set_name: SetName) -> tuple[ResidualEstimator, str]:
        """The residual estimator of a set, and the digest of its weights."""
        if set_name not in self._estimators:
            estimator = ResidualEstimator(self.graph.recipe.estimator)
            job = self.graph.jobs[self.graph.estimators[set_name]]
            sha256 = self._restore(estimator, "estimator", job.name, job.key)
            self._estimators[set_name] = (estimator, sha256)
        return self._estimators[set_name]

    def _classifier(self, name: str, kind: str, key: str, set_name: SetName) -> tuple[Victim, str]:
        victim = build_victim(name, self.graph.suite.classes, self.graph.recipe)
        weights = self._restore(victim, kind, name, key) if victim.learns else "none"
        residual_digest = None
        if victim.spec.residual is not None:
            estimator, residual_digest = self.estimator(set_name)
            victim.attach(estimator, residual_digest)
        return victim.to(self.device).eval(), digest([key, weights, residual_digest])

    def _restore(self, module: nn.Module, kind: str, name: str, key: str) -> str:
        checkpoint = self.shelf.find(kind, name, key)
        if checkpoint is None:
            raise CamobenchError(
                f"{kind} {name} is not trained for {self.graph.suite.name} with recipe "
                f"{self.graph.recipe.name}; `camobench train` or `camobench run` trains it"
            )
        restore(module, checkpoint, self.device)
        return checkpoint.sha256
