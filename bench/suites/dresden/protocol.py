"""What `dresden-v1` is: the paper's twelve camera models, their devices and their photographs.

In distribution are the six models with five devices: Set-A is devices 2 and 3, Set-B 0 and 1,
Set-C 4; this reproduces the counts of the paper's Table 1. Out of distribution are six with three
devices, of which the paper uses one without naming it: here device 2, as in the authors' later
public code. Nor does it say which 100 photographs of a model Set-C holds: here the first 100 of the
device by shot number.

`assets/dresden/photographs.csv` lists the shots: those of the published lists of the database, flat
fields not among them.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import cast

from bench.suites.photographs.layouts import PhotoName
from bench.types import SetName


@dataclass(frozen=True, kw_only=True)
class DresdenSpec:
    """The protocol in figures.

    Attributes:
        seed: Chooses the validation photographs.
        devices: Of the in-distribution models, by set.
        device_out: Of the out-of-distribution models, in Set-C.
        photos_c: Of each model in Set-C.
        validation_fraction: Of the photographs of each model in Set-A and in Set-B.
    """

    name: str = "dresden-v1"
    version: int = 1
    seed: int = 0
    image_px: int = 512
    models_in: tuple[str, ...]
    models_out: tuple[str, ...]
    devices: Mapping[SetName, tuple[int, ...]]
    device_out: int = 2
    photos_c: int = 100
    validation_fraction: float = 0.1


DRESDEN_V1 = DresdenSpec(
    models_in=(
        "Kodak_M1063",
        "Casio_EX-Z150",
        "Nikon_CoolPixS710",
        "Praktica_DCZ5.9",
        "Olympus_mju-1050SW",
        "Ricoh_GX100",
    ),
    models_out=(
        "Rollei_RCP-7325XS",
        "Panasonic_DMC-FZ50",
        "Samsung_NV15",
        "Samsung_L74wide",
        "FujiFilm_FinePixJ50",
        "Canon_Ixus70",
    ),
    devices=MappingProxyType({"A": (2, 3), "B": (0, 1), "C": (4,)}),
)


@cache
def protocol() -> Mapping[PhotoName, SetName]:
    """The set of each photograph of the protocol: models as in Table 1, in a model set by set."""
    file = resources.files("bench") / "assets" / "dresden" / "photographs.csv"
    pinned = {}
    for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines()):
        for part in row["shots"].split():  # "7 9-11" are 7, 9, 10, 11
            first, _, last = part.partition("-")
            for shot in range(int(first), int(last or first) + 1):
                name = PhotoName(model=row["model"], device=row["device"], shot=str(shot))
                pinned[name] = cast(SetName, row["set"])
    return MappingProxyType(pinned)


def as_listed(name: PhotoName) -> PhotoName:
    """What a file's name says, with model and device as the protocol's list writes them.

    Case, blanks, dashes and underscores in a model's name do not count.
    """
    models = {_plain(model): model for model in DRESDEN_V1.models_in + DRESDEN_V1.models_out}
    device = name.device.lstrip("0") or "0"
    return replace(name, model=models.get(_plain(name.model), name.model), device=device)


def _plain(model: str) -> str:
    return "".join(letter for letter in model.lower() if letter.isalnum())


def stem_of(photo: PhotoName) -> str:
    """What its file is called, without the suffix, wherever a copy of the database keeps it."""
    return f"{photo.model}_{photo.device}_{photo.shot}"
