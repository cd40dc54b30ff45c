"""Answers as a stranger may send them, well made and otherwise, and a store that asked for them."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pandas as pd
import torch
from PIL import Image

from bench.challenge.export import export_challenge
from bench.challenge.ids import require_challenges
from bench.checks import to_unit
from bench.jobs.networks import Networks, Shelf
from bench.jobs.scoring.precision import Precision
from bench.plan.graph import plan
from bench.recipes import get_recipe
from bench.store import Store
from bench.suites.base import open_suite
from tests.smoke import CPU, request
from tests.toys import encoded

CARD = request().source.card


def saved(pixels, kind="PNG", **options):
    """A file of (3, H, W) or (H, W[, C]) pixels."""
    array = np.asarray(pixels)
    if array.ndim == 3 and array.shape[0] == 3:
        array = np.ascontiguousarray(array.transpose(1, 2, 0))
    return encoded(array, kind, **options)


def pixels_of(data):
    """(3, H, W) pixels of a file or of its bytes."""
    with Image.open(io.BytesIO(data) if isinstance(data, bytes) else data) as image:
        return np.asarray(image).transpose(2, 0, 1)


def archive(path, files, method=zipfile.ZIP_DEFLATED):
    """A zip of (name or ZipInfo, bytes) pairs."""
    with zipfile.ZipFile(path, "w", method) as made:
        for name, data in files:
            made.writestr(name, data)
    return path


def folder(path, files):
    path.mkdir(exist_ok=True)
    for name, data in files:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


class Arena:
    """A store that both challenges were exported from, and what their receivers hold."""

    def __init__(self, root):
        self.root, self.store = root, Store(root / "store")
        self.photographs, self.pictures = root / "photographs", root / "pictures"

    def export(self):
        """Both challenges."""
        asked = request(victims=())
        export_challenge(asked, self.store, self.photographs, for_victims=False)
        export_challenge(asked, self.store, self.pictures, for_victims=True)

    @property
    def suite(self):
        return open_suite(self.store.data_folder(CARD.name, CARD.fingerprint))

    def challenge(self, audience):
        (found,) = require_challenges(self.store, CARD, audience)
        return found

    def received(self, which):
        """Pixels by id, as whoever got the folder reads them."""
        return {path.stem: pixels_of(path) for path in sorted((which / "images").iterdir())}

    def networks(self):
        graph = plan(
            CARD, get_recipe("smoke"), attacks=("cgan-img",), victims=("img-resnet12",), seed=0
        )
        return Networks(graph, Shelf(store=self.store, shipped=False), CPU, precision=Precision())

    def jpeg(self):
        """What Pillow makes of every photograph at quality 85."""
        received = self.received(self.photographs)
        made = {one: saved(pixels, "JPEG", quality=85) for one, pixels in received.items()}
        return {f"{one}.png": saved(pixels_of(data)) for one, data in made.items()}

    def generated(self):
        """What a generator makes of every photograph for every target."""
        attack, files = self.networks().attack("cgan-img"), {}
        for one, pixels in self.received(self.photographs).items():
            images = torch.from_numpy(pixels.copy()).expand(len(CARD.classes), -1, -1, -1)
            with torch.inference_mode():
                made = attack(images, torch.arange(len(CARD.classes)))
            for name, image in zip(CARD.classes, made.numpy(), strict=True):
                files[f"{one}__{name}.png"] = saved(image)
        return files

    def scored(self):
        """Ids of those pictures that the protocol scores."""
        scored = self.challenge("victims").scored(self.suite)
        return [one for items in scored.values() for one in items]

    def classified(self):
        """What a classifier says of every picture."""
        received, victim = self.received(self.pictures), self.networks().victim("img-resnet12")
        images = to_unit(torch.from_numpy(np.stack(list(received.values()))))
        with torch.inference_mode():
            logits = victim.logits(images.contiguous(memory_format=torch.channels_last))
        values = logits.softmax(1).numpy()
        frame = pd.DataFrame(
            {"image": list(received), "predicted": [CARD.classes[i] for i in values.argmax(1)]}
        )
        return frame.assign(**dict(zip(CARD.classes, values.T, strict=True)))
