"""The smallest whole run, and a toy suite: what the tests of runner and command line share."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from bench.plan.failures import Failures
from bench.plan.request import Request, open_session
from bench.store import Store
from bench.suites.base import Row, SuiteCard, prepare
from bench.suites.catalogue import load_suite
from bench.types import SILENT, Silent
from tests.toys import CLASSES, pixels

SUITE = "simcam-smoke-v2"
ATTACKS = ("cgan-img", "jpeg", "identity")
VICTIMS = ("img-resnet12", "wdf-resnet12")
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Smoke:
    """A finished run: what it left in the store, and its folder of results."""

    store: Store
    out: Path

    def copy(self, root):
        """A copy, which a test may spoil."""
        store = Store(shutil.copytree(self.store.root, root / "store"))
        return Smoke(store, shutil.copytree(self.out, root / "finished"))


def request(**changes):
    """One attack that learns, one that does not; a private and a shared front-end."""
    whole = Request(
        source=load_suite(SUITE),
        attacks=ATTACKS,
        victims=VICTIMS,
        recipe="smoke",
        shipped=False,
        workers=1,
        executor="inline",
    )
    return replace(whole, **changes)


class ToySource:
    """Random images: `per_class` of each model in each set, one in two for validation."""

    def __init__(self, fingerprint="f" * 64, per_class=2):
        self.per_class = per_class
        self.card = SuiteCard(
            name="toy-v1",
            version=1,
            fingerprint=fingerprint,
            classes=CLASSES,
            others=("other-x",),
            more_models=("other-x",),
            image_px=64,
        )

    def models(self, set_name):
        return [*self.card.classes, *(self.card.others if set_name in "CD" else ())]

    def count(self, set_name):
        return self.per_class * len(self.models(set_name))

    def rows(self, set_name, workers, start=0):
        images = pixels(self.count(set_name), 64, 64, seed=ord(set_name)).numpy()
        for index, image in list(enumerate(images))[start:]:
            number, which = divmod(index, len(self.models(set_name)))
            model = self.models(set_name)[which]
            image = image // 2
            image[which % 3] += np.uint8(90)
            name = f"{set_name}-{model}-{number}"
            yield (
                Row(
                    image_id=f"{name}-tile",
                    photo_id=name,
                    model=model,
                    device=f"{model}-{set_name}",
                    scene=None,
                    set=set_name,
                    split="in" if model in self.card.classes else "out",
                    partition="evaluation"
                    if set_name == "C"
                    else ("train", "validation")[number % 2],
                    sha256=f"{index:064d}",
                ),
                image,
            )


def toy_suite(root, sets=("A", "B", "C"), **options):
    return prepare(ToySource(**options), Store(root), sets)


def matrix_of(store, progress=SILENT, **changes):
    """The smallest run on `store`, whose first failure stops it."""
    return open_session(request(**changes), store, progress, Failures())


def toy_session(root, attacks=(), victims=(), progress=SILENT, failures=None, **changes):
    """Networks of the toy suite, in a store of their own or one that is there."""
    asked = request(source=ToySource(), attacks=attacks, victims=victims, **changes)
    store = root if isinstance(root, Store) else Store(root)
    return open_session(asked, store, progress, Failures() if failures is None else failures)


def flip(path):
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


class Watcher(Silent):
    """A progress that counts starts and interrupts the work where it is told to.

    Args:
        stop: Interrupt at the advance that reaches this many units...
        label: ...of the first task whose label starts with this.
    """

    def __init__(self, stop=None, label=""):
        self.stop, self.label, self.started, self._done, self._armed = stop, label, [], 0, False

    def start(self, label, total, done=0):
        self.started.append(label)
        self._done, self._armed = done, self.stop is not None and label.startswith(self.label)
        self.resumed = done

    def advance(self, units=1, **figures):
        self._done += units
        if self._armed and self._done >= self.stop:
            raise KeyboardInterrupt
