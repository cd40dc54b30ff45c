"""Support vector machines on features: what attribution was before neural networks.

One machine a class, one against the rest, by scikit-learn: with a Gaussian kernel on hand-made
features of whole images, standardised or not, or linear ones on features of patches, whose
decisions are averaged. Constants did best on Set-A's validation images of simulated suites. What is
stored are numbers: scaling, support vectors and their weights, evaluated in torch.
Decision values divided by one temperature, chosen by the likelihood of Set-A's validation images,
are the logits: a softmax makes them probabilities (Guo et al. 2017) and no prediction changes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from bench.contract import FitContext, Victim, VictimSpec
from bench.data import AdversarySet, ExaminerSet
from bench.recipes import Recipe
from bench.types import FitReport, Json
from victims.specs import SVM

BATCH = 16


class KernelMachines(nn.Module):
    """Support vector machines with one kernel, one a class, over standardised features.

    `linear` ones weigh the features themselves, not their Gaussian kernel with support vectors.
    """

    def __init__(self, features: int, classes: int, *, linear: bool = False) -> None:
        super().__init__()
        self.linear = linear
        self.register_buffer("centre", torch.zeros(features, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(features, dtype=torch.float64))
        self.register_buffer("support", torch.zeros(0, features, dtype=torch.float64))
        rows = features if linear else 0
        self.register_buffer("weight", torch.randn(rows, classes, dtype=torch.float64))
        self.register_buffer("bias", torch.zeros(classes, dtype=torch.float64))
        self.register_buffer("gamma", torch.ones((), dtype=torch.float64))
        self.register_buffer("temperature", torch.ones((), dtype=torch.float64))

    centre: Tensor
    scale: Tensor
    support: Tensor
    weight: Tensor
    bias: Tensor
    gamma: Tensor
    temperature: Tensor

    def _apply(self, fn: Any, recurse: bool = True) -> KernelMachines:
        """Stay on the processor where a device has no float64."""
        try:
            return super()._apply(fn, recurse)  # type: ignore[no-untyped-call, no-any-return]
        except TypeError:
            return self

    def decisions(self, features: Tensor) -> Tensor:
        """(..., F) -> (..., C) values, as scikit-learn's `decision_function` gives them."""
        standard = (features - self.centre) / self.scale
        if self.linear:
            return standard @ self.weight + self.bias
        distance = torch.cdist(standard, self.support).square()
        return torch.exp(-self.gamma * distance) @ self.weight + self.bias

    def forward(self, features: Tensor) -> Tensor:
        """(N, F), or (N, P, F) of P patches, -> (N, C) logits."""
        decisions = self.decisions(features) / self.temperature
        return decisions if features.ndim == 2 else decisions.mean(1)


class SvmVictim(Victim):
    """A support vector machine a class on the features that a subclass's `frontend` gives."""

    features: ClassVar[int]
    """Length of a feature vector."""
    constants: ClassVar[Mapping[str, Json]] = SVM
    """Of the machines; without a `scaling`, features are standardised."""

    def __init__(self, spec: VictimSpec, *, classes: Sequence[str], recipe: Recipe) -> None:
        super().__init__(spec, classes=classes, recipe=recipe)
        linear = self.constants["kernel"] == "linear"
        self.machines = KernelMachines(self.features, len(classes), linear=linear)

    def backbone(self, features: Tensor) -> Tensor:
        """(N, F) features, or (N, P, F) of patches, -> (N, C) logits."""
        out: Tensor = self.machines(features.to(self.machines.centre.device).double())
        return out.float()

    def fit(self, data: ExaminerSet | AdversarySet, context: FitContext) -> FitReport:
        """Fit on training images or their patches; the temperature on the validation images."""
        began = time.monotonic()
        features = self._features(data.images, context)
        train, held_out = ~data.validation, data.validation
        samples = features[train].reshape(-1, self.features)
        labels = np.repeat(data.labels[train], len(samples) // train.sum())
        self._fit_machines(samples, labels, context.seed)
        self.machines.temperature = torch.ones((), dtype=torch.float64)
        decisions = self.machines(torch.from_numpy(features[held_out]))
        truth = torch.from_numpy(data.labels[held_out])
        self.machines.temperature = _temperature(decisions, truth)
        hits, linear = decisions.argmax(1) == truth, self.machines.linear
        return FitReport(
            figures={
                "validation_accuracy_percent": 100 * float(hits.double().mean()),
                "temperature": float(self.machines.temperature),
                **({} if linear else {"support_vectors": float(len(self.machines.support))}),
            },
            seconds=time.monotonic() - began,
        )

    def _features(self, images: NDArray[np.uint8], context: FitContext) -> NDArray[np.float64]:
        label = context.label or self.spec.name
        context.progress.start(f"features of {label}", len(images))
        parts = []
        for start in range(0, len(images), BATCH):
            batch = torch.from_numpy(np.array(images[start : start + BATCH])).to(context.device)
            parts.append(self.frontend(batch.float() / 255).detach().cpu().double().numpy())
            context.progress.advance(len(batch))
        context.progress.finish()
        return np.concatenate(parts)

    def _fit_machines(
        self, features: NDArray[np.float64], labels: NDArray[np.int64], seed: int
    ) -> None:
        pipeline = make_pipeline(self.constants, seed)
        pipeline.fit(features, labels)
        scaler, machines = pipeline[0], pipeline[-1].estimators_
        if len(self.classes) == 2:  # scikit-learn then fits one machine, for the second class
            machines = [machines[0], machines[0]]
        signs = [-1.0, 1.0] if len(self.classes) == 2 else [1.0] * len(machines)
        own = self.machines.cpu()
        own.centre = torch.from_numpy(scaler.mean_)
        if scaler.scale_ is not None:
            own.scale = torch.from_numpy(scaler.scale_)
        biases = [sign * float(m.intercept_[0]) for m, sign in zip(machines, signs, strict=True)]
        own.bias = torch.tensor(biases, dtype=torch.float64)
        if own.linear:
            weights = [sign * m.coef_[0] for m, sign in zip(machines, signs, strict=True)]
            own.weight = torch.from_numpy(np.stack(weights, axis=1))
            return
        used = np.unique(np.concatenate([machine.support_ for machine in machines]))
        weight = np.zeros((len(used), len(machines)))
        for column, (machine, sign) in enumerate(zip(machines, signs, strict=True)):
            place = np.searchsorted(used, machine.support_)
            weight[place, column] = sign * machine.dual_coef_[0]
        own.support = torch.from_numpy(scaler.transform(features[used]))
        own.weight = torch.from_numpy(weight)
        own.gamma = torch.tensor(machines[0]._gamma, dtype=torch.float64)


def make_pipeline(constants: Mapping[str, Json] = SVM, seed: int = 0) -> Any:
    """The scikit-learn pipeline that is fitted: scale, then one machine against the rest."""
    from sklearn import pipeline
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC, LinearSVC

    if constants["kernel"] == "linear":
        machine = LinearSVC(C=constants["C"], dual=False, random_state=seed)
    else:
        machine = SVC(C=constants["C"], gamma=constants["gamma"], random_state=seed)
    scaler = StandardScaler(with_std="scaling" not in constants)
    return pipeline.make_pipeline(scaler, OneVsRestClassifier(machine))


def _temperature(decisions: Tensor, truth: Tensor) -> Tensor:
    """What to divide decision values by for the likeliest labels; between 0.01 and 10."""
    from scipy.optimize import minimize_scalar

    def loss(exponent: float) -> float:
        return float(F.cross_entropy(decisions / 10.0**exponent, truth))

    found = minimize_scalar(loss, bounds=(-2, 1), method="bounded")
    return torch.tensor(10.0 ** float(found.x), dtype=torch.float64)
