"""Small random data and networks that several tests share."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import nn

from bench.contract import FitContext, Snapshots, Victim, VictimSpec
from bench.data import AdversarySet
from bench.recipes import SMOKE
from bench.registry import Entry
from bench.types import Silent
from bench.verify.contract_checks.subject import pixels

CLASSES = ("cam-a", "cam-b", "cam-c")


def encoded(pixels, kind="JPEG", **options):
    """(H, W, 3) pixels, or a picture of Pillow's, as the bytes of a file."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def camera_set(kind=AdversarySet, per_class=3, side=64, classes=CLASSES, seed=0):
    """A set whose classes differ by their mean colour; the last image of each is for validation."""
    labels = np.repeat(np.arange(len(classes)), per_class)
    images = pixels(len(labels), side, side, seed).numpy() // 2
    for label in range(len(classes)):
        images[labels == label, label % 3] += 100
    validation = np.tile(np.arange(per_class) == per_class - 1, len(classes))
    return kind(images=images, labels=labels, classes=tuple(classes), validation=validation)


def fit_context(seed=0, recipe=SMOKE, **more):
    return FitContext(device=torch.device("cpu"), seed=seed, recipe=recipe, **more)


def copied(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same_state(one, other):
    assert one.keys() == other.keys()
    return all(torch.equal(value, other[name]) for name, value in one.items())


def shaken(module, scale=0.05, seed=0):
    """The module with noise on every weight, so that nothing is zero or the identity by luck."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(scale * torch.randn(weight.shape, generator=generator))
    return module


class ToyVictim(Victim):
    """A frozen surrogate with batch normalisation, so that training mode would show."""

    def __init__(self, name="toy", classes=CLASSES):
        super().__init__(VictimSpec(name=name), classes=classes)
        self.network = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU())
        self.head = nn.Linear(6, len(classes))
        self.eval().requires_grad_(False)

    def logits(self, images):
        return self.head(self.network(images).mean((2, 3)))


def pretrained(name, classes):
    """An entry of a victim that knows these classes, whatever suite it is built for."""

    def build(spec, *, classes=(), recipe=None):
        return ToyVictim(spec.name, known)

    known = tuple(classes)
    return Entry(spec=VictimSpec(name=name), builder=build)


class Recorder(Silent):
    """A progress that remembers what it was told."""

    def __init__(self):
        self.started, self.units, self.finished = [], [], 0

    def start(self, label, total, done=0):
        self.started.append((label, total))
        self.total, self.done = total, done

    def advance(self, units=1, **figures):
        self.units.append(units)

    def finish(self):
        self.finished += 1


class Memory:
    """Snapshots kept as bytes, as a file would hold them."""

    def __init__(self):
        self.saved = []

    def snapshots(self, every_s=-1.0):
        return Snapshots(load=self.load, save=self.save, every_s=every_s)

    def save(self, state):
        stream = io.BytesIO()
        torch.save(state, stream)
        self.saved.append(stream.getvalue())

    def load(self):
        if not self.saved:
            return None
        return torch.load(io.BytesIO(self.saved[-1]), weights_only=True)


def built(registry, name, recipe=SMOKE, classes=CLASSES):
    """What a registered name stands for, untrained, with always the same weights."""
    torch.manual_seed(0)
    entry = registry.get(name)
    return entry.builder(entry.spec, classes=classes, recipe=recipe)
