"""Writes a finished matrix to a folder: predictions, distortions, entries, sample images."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image

from bench.contract import ATTACKS, VICTIMS
from bench.jobs.building import hyperparameters_of
from bench.jobs.opened_files import as_told
from bench.jobs.scoring.items import items_of
from bench.jobs.scoring.kept import KeptImages
from bench.jobs.scoring.score import KEY_DIGITS
from bench.metrics import SCORER_VERSION
from bench.metrics.lpips import RECORD as LPIPS
from bench.plan.cells import Cells
from bench.plan.failures import Failure
from bench.plan.matrix import Matrix
from bench.records.entry import ENTRY_SCHEMA, parse_entry
from bench.records.frames import images_digest
from bench.records.participants import NO_NETWORK
from bench.store import replacing, write_json
from bench.suites.audit.record import kept_audit
from bench.types import CamobenchError, Json, as_json

SAMPLES = "samples"
SAMPLES_PER_MODEL = 2
FAILURES = "failures"


def write_matrix(out: Path, matrix: Matrix, cells: Sequence[Cells]) -> None:
    """Write all rows and one entry an attack into `out`; stale files of earlier runs go."""
    out.mkdir(parents=True, exist_ok=True)
    for name, frames in (
        ("predictions", [cell.predictions() for cell in cells if cell.victims]),
        ("distortion", [cell.distortion() for cell in cells if cell.measured]),
    ):
        with replacing(out / f"{name}.parquet") as target:
            pd.concat(frames, ignore_index=True).to_parquet(target, index=False)
    for stale in out.glob("entry-*.json"):
        stale.unlink()
    for cell in cells:
        write_json(out / f"entry-{cell.attack}.json", entry(matrix, cell))
    _copy_logs(out / FAILURES, cells)
    if (out / SAMPLES).is_dir():
        shutil.rmtree(out / SAMPLES)
    if matrix.sampled is not None and (kept := matrix.sample):
        write_samples(out / SAMPLES, matrix, matrix.sampled, kept)


def _copy_logs(folder: Path, cells: Sequence[Cells]) -> None:
    """Put the logs of failed cells beside the tables that name them; old ones go."""
    for stale in folder.glob("*.log"):
        stale.unlink()
    noted = [one for cell in cells for one in (*cell.failed.values(), *cell.unmeasured.values())]
    logs = {failure.log for failure in noted}
    if logs:
        folder.mkdir(exist_ok=True)
    for log in logs:
        with suppress(FileNotFoundError):  # another run has done meanwhile what failed here
            shutil.copyfile(log, folder / log.name)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def entry(matrix: Matrix, cell: Cells) -> dict[str, Json]:
    """Everything that says what one row of the tables is and where it comes from.

    The provenance is that of the runs that scored it, not of the one that writes it down.
    """
    graph, store = matrix.graph, matrix.shelf.store
    attack = ATTACKS.get(cell.attack)
    images = matrix.scorer.manifest.rename(columns={"model": "source"})
    unmeasured = [{"what": what, **_told(one)} for what, one in cell.unmeasured.items()]
    victims = [
        {
            **_as_object(as_json(victim.spec)),
            **as_told(victim, store, key),
            "key": key[:KEY_DIGITS],
            "family": name if victim.spec.supplementary else victim.spec.front_end,
            "classes": list(graph.classes[name]),
            "digest": cell.victims.get(name, NO_NETWORK),
            "precision": matrix.networks.victim_precision(name),
        }
        for name, key in graph.victims.items()
        for victim in [VICTIMS.get(name)]
    ]
    record = {
        "schema": ENTRY_SCHEMA,
        "attack": {
            **_as_object(as_json(attack.spec)),
            **as_told(attack, store, graph.attacks[cell.attack]),
            "key": graph.attacks[cell.attack][:KEY_DIGITS],
            "digest": matrix.networks.attack_digest(cell.attack) if cell.measured else NO_NETWORK,
            "hyperparameters": _hyperparameters(matrix, cell.attack),
        },
        "victims": victims,
        "failed": [{"victim": victim, **_told(failure)} for victim, failure in cell.failed.items()],
        **({"unmeasured": unmeasured} if unmeasured else {}),
        **({"suspicions": as_json(cell.suspicions)} if cell.suspicions else {}),
        "suite": {
            **_as_object(as_json(graph.suite)),
            # so that rows of some of its images are not taken for all
            "evaluated": {"images": len(images), "sha256": images_digest(images)},
            "audit": kept_audit(matrix.place.suite),
        },
        "recipe": graph.recipe.name,
        "seed": graph.seed,
        **({} if graph.attack_seed == graph.seed else {"attack_seed": graph.attack_seed}),
        "scorer_version": SCORER_VERSION,
        "lpips": LPIPS,
        "provenance": cell.provenance,
    }
    return parse_entry(json.dumps(record)).as_json()


def _told(failure: Failure) -> dict[str, Json]:
    log = f"{FAILURES}/{failure.log.name}"
    return {"who": failure.who, "reason": failure.reason, "log": log}


def _hyperparameters(matrix: Matrix, attack: str) -> Json:
    graph = matrix.graph
    try:
        return hyperparameters_of("attack", attack, graph.suite.classes, graph.recipe)
    except CamobenchError:  # its cells say why
        return {}


def write_samples(folder: Path, matrix: Matrix, attack: str, kept: KeptImages) -> None:
    """Write some originals and their anonymised versions, one to every target, as PNG."""
    manifest, images = matrix.scorer.manifest, matrix.scorer.images
    classes, records = matrix.graph.suite.classes, list[dict[str, Any]]()
    first = manifest.loc[sorted(matrix.shards[0])]
    with replacing(folder) as target:
        target.mkdir()
        chosen = first.groupby("model", sort=False).head(SAMPLES_PER_MODEL)
        for index in map(int, chosen.index):
            row, wanted = manifest.loc[index], items_of([index], manifest, classes, targeted=True)
            items = [item for item in wanted if kept.has(item)]
            if not items:  # of images made elsewhere, some may be missing
                continue
            number, original = f"{len(records):02d}", np.array(images[index])
            _save_png(target / f"{number}.png", original)
            files: dict[str, str] = {}
            for item in items:
                place = item.target or 0
                files[classes[place]] = f"{number}-{place:02d}.png"
                made = kept.anonymise([item], torch.from_numpy(original[None]))[0].numpy()
                _save_png(target / f"{number}-{place:02d}.png", made)
            records.append(
                {
                    "image_id": row["image_id"],
                    "source": row["model"],
                    "split": row["split"],
                    "attack": attack,
                    "original": f"{number}.png",
                    "anonymised": files,
                }
            )
        write_json(target / "samples.json", records)


def _save_png(path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(path, compress_level=1)


def _as_object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise TypeError(f"expected a JSON object, got {value!r}")
    return value
