"""The work on which our trainer and the conventional loop are timed, and its parts in one process.

Both sides train the same networks on the same images: ours reads them as a suite keeps them, the
loop as one file an image, or a saved residual where a victim reads residuals.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from bench.checks import use_exact_fp32
from bench.contract import VICTIMS, FitContext, Victim
from bench.data import ExaminerSet
from bench.perf.dataloader_loop import loop_steps, patch_loader
from bench.recipes import ClassifierRecipe, get_recipe
from bench.training.classifier import as_input, train_classifier
from bench.training.loop import seeded_generator
from bench.training.patches import PatchSampler, open_stack

CLASSES = ("camera-1", "camera-2", "camera-3", "camera-4")
NOISE_255 = 3.0
"""Grain of the images in grey levels: PNG files of about half their pixels' bytes."""
PIXELS, RESIDUALS = "images.npy", "residuals.npy"

Clock = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is trained, on what, for how long.

    Attributes:
        folder: Holds the images, see `write_images`.
        victims: Trained one after another, or side by side.
        recipe: Gives the networks' width and the precision of our trainer.
        batch: Patches a step, on both sides.
        steps: Timed steps of each victim.
        image_px: Side of the square images.
        device: Of the networks.
    """

    folder: Path
    victims: tuple[str, ...]
    recipe: str
    batch: int
    steps: int
    image_px: int
    device: str

    @property
    def patches(self) -> int:
        """Patches of one pass over all victims."""
        return len(self.victims) * self.steps * self.batch


@dataclass(frozen=True, kw_only=True)
class Trainee:
    """A victim to be timed: its trained part, and how it is trained."""

    victim: Victim
    network: nn.Module
    budget: ClassifierRecipe

    @property
    def reads_residuals(self) -> bool:
        """Whether its input is a residual, not an image."""
        return self.victim.spec.residual is not None


class _Backbone(nn.Module):
    def __init__(self, victim: Victim) -> None:
        super().__init__()
        self.victim = victim

    def forward(self, features: Tensor) -> Tensor:
        return self.victim.backbone(features)


def trainable_victims() -> tuple[str, ...]:
    """Our own victims that train a network by a `ClassifierRecipe`, as registered."""
    recipe = get_recipe("smoke")
    return tuple(
        entry.spec.name
        for entry in VICTIMS
        if entry.origin is None
        and "classifier"
        in entry.builder(entry.spec, classes=CLASSES, recipe=recipe).hyperparameters
    )


def spanning(names: Sequence[str]) -> tuple[str, ...]:
    """One victim a front-end, with backbones as far apart as can be, from the first to the last."""
    specs = [VICTIMS.get(name).spec for name in names]
    front_ends = list(dict.fromkeys(spec.front_end for spec in specs))
    backbones = list(dict.fromkeys(spec.backbone for spec in specs))
    places = np.linspace(0, len(backbones) - 1, len(front_ends)).round().astype(int)
    wanted = {(f, backbones[place]) for f, place in zip(front_ends, places, strict=True)}
    return tuple(spec.name for spec in specs if (spec.front_end, spec.backbone) in wanted)


def build_trainees(work: Work) -> list[Trainee]:
    """Every victim of `work`, untrained, with the work's batch and number of steps."""
    trainees = []
    for name in work.victims:
        torch.manual_seed(0)
        entry = VICTIMS.get(name)
        victim = entry.builder(entry.spec, classes=CLASSES, recipe=get_recipe(work.recipe))
        stated: dict[str, Any] = dict(victim.hyperparameters["classifier"])
        budget = replace(
            ClassifierRecipe(**stated), batch=work.batch, steps=work.steps, epochs=None
        )
        trainees.append(Trainee(victim=victim, network=_Backbone(victim), budget=budget))
    return trainees


def write_images(folder: Path, *, image_px: int, per_class: int = 8, seed: int = 0) -> None:
    """Write smooth scenes with grain, as a suite keeps them and as one file each.

    Images come as `images.npy` and PNG files, residual-like floats as `residuals.npy` and `.npy`
    files. The first of each class is held out, and has no file.
    """
    random = np.random.default_rng(seed)
    count = len(CLASSES) * per_class
    coarse = random.uniform(30, 225, (count, 3, 9, 9)).astype(np.float32)
    scenes = nn.functional.interpolate(
        torch.from_numpy(coarse), size=(image_px, image_px), mode="bicubic"
    ).numpy()
    residuals = random.normal(0, NOISE_255, scenes.shape).astype(np.float32)
    images = (scenes + residuals).round().clip(0, 255).astype(np.uint8)
    np.save(folder / PIXELS, images)
    np.save(folder / RESIDUALS, residuals)
    for index in np.flatnonzero(~_held_out(count)):
        pixels = np.ascontiguousarray(images[index].transpose(1, 2, 0))
        Image.fromarray(pixels).save(folder / f"{index:04}.png")
        np.save(folder / f"{index:04}.npy", residuals[index].transpose(1, 2, 0))


def _labels(count: int) -> NDArray[np.int64]:
    return np.arange(count) % len(CLASSES)


def _held_out(count: int) -> NDArray[np.bool_]:
    held_out: NDArray[np.bool_] = np.arange(count) < len(CLASSES)
    return held_out


def examiner_set(work: Work) -> ExaminerSet:
    """The images as a suite hands them over."""
    images = np.load(work.folder / PIXELS, mmap_mode="c")
    count = len(images)
    return ExaminerSet(
        images=images, labels=_labels(count), classes=CLASSES, validation=_held_out(count)
    )


def training_files(work: Work, *, residuals: bool) -> tuple[list[Path], NDArray[np.int64]]:
    """The files of the training images, or of their residuals, and their labels."""
    count = len(np.load(work.folder / PIXELS, mmap_mode="r"))
    chosen = np.flatnonzero(~_held_out(count))
    suffix = ".npy" if residuals else ".png"
    return [work.folder / f"{index:04}{suffix}" for index in chosen], _labels(count)[chosen]


class OurSide:
    """Times our trainer in this process."""

    def __init__(self, work: Work) -> None:
        self.work, self.data = work, examiner_set(work)
        use_exact_fp32()  # as where networks are trained
        device = torch.device(work.device)
        self.context = FitContext(device=device, seed=0, recipe=get_recipe(work.recipe))
        residuals = np.load(work.folder / RESIDUALS, mmap_mode="c")
        self.stacks = {
            False: open_stack(self.data.images, device),
            True: open_stack(residuals, device),
        }
        self.trainees = build_trainees(work)
        for trainee in self.trainees:
            self._train(trainee, 1)

    def _train(self, trainee: Trainee, steps: int) -> float:
        return train_classifier(
            trainee.victim.spec.name,
            trainee.network,
            self.stacks[trainee.reads_residuals],
            self.data,
            replace(trainee.budget, steps=steps),
            self.context,
        ).seconds

    def whole_s(self, first: int = 0) -> float:
        """Seconds of all steps of all victims, the `first` victim before the others."""
        order = [*self.trainees[first:], *self.trainees[:first]]
        return sum(self._train(trainee, self.work.steps) for trainee in order)

    def data_s(self, clock: Clock = time.perf_counter) -> float:
        """Seconds of drawing all their patches and bringing them to the networks' input."""
        device = self.context.device
        labels = torch.from_numpy(self.data.labels).to(device)
        train = torch.from_numpy(np.flatnonzero(~self.data.validation)).to(device)
        spent = 0.0
        for trainee in self.trainees:
            stack = self.stacks[trainee.reads_residuals]
            sampler = PatchSampler((stack,), labels, seeded_generator(self.context), subset=train)
            began = clock()
            for _ in range(self.work.steps):
                (patches,), _ = sampler.draw(self.work.batch)
                last = as_input(patches)
            _wait_for(last)
            spent += clock() - began
        return spent


class LoopSide:
    """Times the conventional loop in this process.

    Starting the loader's workers and the first batch of each loader are not counted; the loader
    then runs on from victim to victim, as over an epoch.
    """

    def __init__(self, work: Work, loader_workers: int) -> None:
        self.work, self.loader_workers = work, loader_workers
        self.device = torch.device(work.device)
        self.trainees = build_trainees(work)
        for trainee in self.trainees:
            self._train(trainee, itertools.repeat(self._fixed()), 1)

    def _fixed(self) -> tuple[Tensor, Tensor]:
        batch = self.work.batch
        return torch.rand(batch, 3, 64, 64), torch.arange(batch) % len(CLASSES)

    def _train(
        self, trainee: Trainee, batches: Iterator[tuple[Tensor, Tensor]], steps: int
    ) -> None:
        for loss in loop_steps(trainee.network, batches, trainee.budget, steps, self.device):
            last = loss
        _wait_for(last)

    def _groups(self) -> Iterator[tuple[Sequence[Trainee], Iterator[Any]]]:
        for residuals in (False, True):
            group = [t for t in self.trainees if t.reads_residuals == residuals]
            files, labels = training_files(self.work, residuals=residuals)
            if group:
                loader = patch_loader(
                    files,
                    labels,
                    batch=self.work.batch,
                    steps=len(group) * self.work.steps + 1,
                    workers=self.loader_workers,
                    device=self.device,
                )
                yield group, iter(loader)

    def whole_s(self, clock: Clock = time.perf_counter) -> float:
        """Seconds of all steps of all victims."""
        spent = 0.0
        for group, batches in self._groups():
            next(batches)
            began = clock()
            for trainee in group:
                self._train(trainee, batches, self.work.steps)
            spent += clock() - began
        return spent

    def data_s(self, clock: Clock = time.perf_counter) -> float:
        """Seconds of loading all their patches, with no network to feed."""
        spent = 0.0
        for group, batches in self._groups():
            next(batches)
            began = clock()
            for _ in range(len(group) * self.work.steps):
                patches, _ = next(batches)
                last = patches.to(self.device)
            _wait_for(last)
            spent += clock() - began
        return spent

    def network_s(self, clock: Clock = time.perf_counter) -> float:
        """Seconds of all steps on one batch in memory."""
        batches = itertools.repeat(self._fixed())
        began = clock()
        for trainee in self.trainees:
            self._train(trainee, batches, self.work.steps)
        return clock() - began


def _wait_for(values: Tensor) -> None:
    if values.device.type == "cuda":
        torch.cuda.synchronize(values.device)
