"""What a process keeps open between the jobs of a run: images, networks, the scorer."""

from __future__ import annotations

from functools import cached_property

import torch

from bench.jobs.job import Site
from bench.jobs.networks import Networks, Shelf
from bench.jobs.scoring.items import ImageSource, source_of
from bench.jobs.scoring.scorer import Scorer
from bench.provenance import processor_name
from bench.store import Store
from bench.suites.base import Suite
from bench.types import Json


class Workplace:
    """Opens each thing once, when it is first wanted."""

    def __init__(self, site: Site) -> None:
        self.site, self.device = site, torch.device(site.device)
        self._attack: tuple[str, ImageSource] | None = None

    @cached_property
    def store(self) -> Store:
        """With all artifacts."""
        return Store(self.site.store_root)

    @cached_property
    def shelf(self) -> Shelf:
        """Where checkpoints are looked for."""
        return Shelf(store=self.store, shipped=self.site.shipped)

    @cached_property
    def suite(self) -> Suite:
        """The images."""
        card = self.site.keys.suite
        return Suite(card, self.store.data_folder(card.name, card.fingerprint))

    @cached_property
    def networks(self) -> Networks:
        """Networks as they are scored: each victim is opened and folded once."""
        site = self.site
        return Networks(site.keys, self.shelf, self.device, precision=site.precision)

    @cached_property
    def scorer(self) -> Scorer:
        """Of Set-C."""
        return Scorer(self.suite, self.device, self.site.batch)

    def attack(self, name: str) -> ImageSource:
        """Where an attack's images come from; the one asked for last stays open."""
        if self._attack is None or self._attack[0] != name:
            self._attack = None
            self._attack = name, source_of(self.networks.attack(name))
        return self._attack[1]

    @property
    def provenance(self) -> dict[str, Json]:
        """Which code scores where, and how; the batch is what it is by now."""
        return {**self._origin, "batch_size": self.scorer.batch}

    @cached_property
    def _origin(self) -> dict[str, Json]:
        cuda, images = self.device.type == "cuda", self.suite.checksum("C")
        tf32 = torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32
        return {
            **self.site.began,
            "device": str(self.device),
            "device_name": torch.cuda.get_device_name(self.device) if cuda else processor_name(),
            "precision": self.site.precision.name,
            "tf32": cuda and tf32,
            **({"set_c_sha256": images} if images else {}),
        }
