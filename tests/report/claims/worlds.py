"""Runs whose truth is known: eight rows on four victims, each with chances of its own."""

import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from bench.records.entry import parse_entry
from bench.records.participants import VictimRecord
from bench.records.run import RunData
from bench.report.claims.evidence import ROWS
from tests.toy_run import make_entry

CLASSES = ("cam-a", "cam-b", "cam-c")
VICTIMS = (("w18", "wdf"), ("w34", "wdf"), ("p18", "pef"), ("i18", "img"))

AS_THE_PAPER_SAYS = {
    "img": (0.30, 0.30, 0.80),
    "wdf": (0.70, 0.60, 0.10),
    "wdf†": (0.92, 0.88, 0.15),
    "pef": (0.40, 0.45, 0.05),
    "pef†": (0.75, 0.85, 0.10),
    "img+wdf": (0.80, 0.60, 0.75),
    "img+pef": (0.55, 0.75, 0.70),
    "img+wdf+pef": (0.93, 0.93, 0.93),
}
"""Chance of success on wdf, pef and img victims; half of what fails is won outside."""


def entry_of(name, row, **more):
    entry = parse_entry(json.dumps(make_entry("mislgan")))
    attack = entry.attack.model_copy(
        update={"name": name, "laac": tuple(row[0]), "scfa": row[1], "label": "", **more}
    )
    return entry.model_copy(update={"attack": attack})


def victim_of(name, family):
    record = json.dumps(make_entry("mislgan")["victims"][0])
    return VictimRecord.model_validate_json(record).model_copy(
        update={"name": name, "key": name, "family": family, "backbone": name}
    )


def frames_of(chances, photographs, levels):
    """Predictions and distortion, of two images a photograph."""
    random = np.random.default_rng(0)
    predictions, distortion = [], []
    for split, sources in (("in", CLASSES), ("out", ("other-x", "other-y", "other-z"))):
        for source, photo in product(sources, range(photographs)):
            hardness = random.uniform(-0.04, 0.04)  # of a photograph, for all rows: pairing pays
            targets = [target for target in CLASSES if target != source]
            for tile, label, target in product(range(2), chances, targets):
                row = {
                    "split": split,
                    "image_id": f"{source}-{photo}-{tile}",
                    "photo_id": f"{source}-{photo}",
                    "scene": f"scene {photo}",
                    "device": f"{source}-0",
                    "source": source,
                    "attack": f"a-{label}",
                    "target": target,
                }
                lpips = 0.04 * levels.get(label, 1.0) * random.uniform(0.9, 1.1)
                distortion.append(row | {"lpips": lpips, "psnr_db": 30.0, "ssim": 0.9})
                for victim, family in VICTIMS:
                    chance = chances[label][("wdf", "pef", "img").index(family)] + hardness
                    chance += 0.5 * (1 - chance) if split == "out" else 0
                    wrong = next(c for c in CLASSES if c != target)
                    said = target if random.random() < chance else wrong
                    predictions.append(row | {"victim": victim, "predicted": said})
    return pd.DataFrame(predictions), pd.DataFrame(distortion)


def world(chances=AS_THE_PAPER_SAYS, *, photographs=30, levels=None):
    """A run in memory; `levels` scales the distortion of a row."""
    predictions, distortion = frames_of(chances, photographs, levels or {})
    return RunData(
        directory=Path(),
        predictions=predictions,
        distortion=distortion,
        entries=tuple(entry_of(f"a-{label}", ROWS[label]) for label in chances),
        victims=tuple(victim_of(*victim) for victim in VICTIMS),
        samples=(),
    )


def keeping(run, keep):
    """The run with only the predictions and distortions for which `keep(frame)` is true."""
    frames = {name: getattr(run, name) for name in ("predictions", "distortion")}
    return replace(run, **{name: frame[keep(frame)] for name, frame in frames.items()})


def without(run, label):
    """The run without a row."""
    entries = tuple(entry for entry in run.entries if entry.attack.name != f"a-{label}")
    return replace(keeping(run, lambda f: f["attack"] != f"a-{label}"), entries=entries)
