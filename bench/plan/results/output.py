"""Writes a finished matrix to a folder: predictions, distortions, entries, sample images."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

from bench.contract import ATTACKS, VICTIMS, AttackSpec
from bench.jobs.building import build_attack
from bench.jobs.opened_files import as_told
from bench.jobs.outcome import ParticipantError, Trial
from bench.jobs.scoring.items import Item, asked_of, batches_of, items_of, mixed, source_of
from bench.jobs.scoring.score import KEY_DIGITS
from bench.metrics import SCORER_VERSION
from bench.metrics.lpips import RECORD as LPIPS
from bench.plan.cells import Cells
from bench.plan.failures import Failure
from bench.plan.matrix import Matrix
from bench.records.entry import ENTRY_SCHEMA, parse_entry
from bench.records.frames import images_digest
from bench.records.participants import NO_NETWORK
from bench.records.samples import most_complete
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
    sampled = choose_sampled([ATTACKS.get(cell.attack).spec for cell in cells if cell.measured])
    if (out / SAMPLES).is_dir():
        shutil.rmtree(out / SAMPLES)
    if sampled is not None:
        with suppress(ParticipantError):  # it anonymised them before: its rows are there
            write_samples(out / SAMPLES, matrix, sampled)


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
    spec = ATTACKS.get(cell.attack).spec
    victims: list[Json] = []
    for name, key in graph.victims.items():
        victim = VICTIMS.get(name).spec
        victims.append(
            {
                **_as_object(as_json(victim)),
                **as_told(VICTIMS.get(name), store, key),
                "key": key[:KEY_DIGITS],
                "family": name if victim.supplementary else victim.front_end,
                "classes": list(graph.classes[name]),
                "digest": cell.victims.get(name, NO_NETWORK),
                "precision": matrix.networks.victim_precision(name),
            }
        )
    record = {
        "schema": ENTRY_SCHEMA,
        "attack": {
            **_as_object(as_json(spec)),
            **as_told(ATTACKS.get(cell.attack), store, graph.attacks[cell.attack]),
            "key": graph.attacks[cell.attack][:KEY_DIGITS],
            "digest": matrix.networks.attack_digest(cell.attack) if cell.measured else NO_NETWORK,
            "hyperparameters": _hyperparameters(matrix, cell.attack),
        },
        "victims": victims,
        "failed": [{"victim": victim, **_told(failure)} for victim, failure in cell.failed.items()],
        **_unmeasured(cell),
        **({"suspicions": as_json(cell.suspicions)} if cell.suspicions else {}),
        "suite": {
            **_as_object(as_json(graph.suite)),
            "evaluated": _evaluated(matrix),
            "audit": kept_audit(matrix.suite),
        },
        "recipe": graph.recipe.name,
        "seed": graph.seed,
        **({} if graph.attack_seed == graph.seed else {"attack_seed": graph.attack_seed}),
        "scorer_version": SCORER_VERSION,
        "lpips": LPIPS,
        "provenance": {
            **cell.scored_by[0],
            "wall_time_s": round(cell.seconds, 1),
            "also_scored_by": list(cell.scored_by[1:]),
        },
    }
    return parse_entry(json.dumps(record)).as_json()


def _told(failure: Failure) -> dict[str, Json]:
    log = f"{FAILURES}/{failure.log.name}"
    return {"who": failure.who, "reason": failure.reason, "log": log}


def _unmeasured(cell: Cells) -> dict[str, Json]:
    told: list[Json] = [{"what": what, **_told(one)} for what, one in cell.unmeasured.items()]
    return {"unmeasured": told} if told else {}


def _hyperparameters(matrix: Matrix, attack: str) -> Json:
    graph = matrix.graph
    try:
        return build_attack(attack, graph.suite.classes, graph.recipe).stated_hyperparameters()
    except CamobenchError:  # its cells say why
        return {}


def _evaluated(matrix: Matrix) -> dict[str, Json]:
    """Which images Set-C has, so that rows of some of them are not taken for all."""
    images = matrix.scorer.manifest.rename(columns={"model": "source"})
    return {"images": len(images), "sha256": images_digest(images)}


def choose_sampled(specs: Sequence[AttackSpec]) -> str | None:
    """The attack whose images are shown."""
    return most_complete(specs)


@torch.no_grad()
def write_samples(folder: Path, matrix: Matrix, attack_name: str) -> None:
    """Write some originals and their anonymised versions, one to every target, as PNG."""
    trial = Trial(strict=matrix.failures is None)
    source = source_of(trial.attack(lambda: matrix.networks.attack(attack_name)))
    manifest, images = matrix.scorer.manifest, matrix.scorer.images
    classes = matrix.graph.suite.classes
    chosen = manifest.groupby("model", sort=False).head(SAMPLES_PER_MODEL).index
    with replacing(folder) as target:
        target.mkdir()
        made: dict[Item, np.ndarray] = {}
        asked = asked_of(mixed(manifest, chosen), len(classes), targeted=True)
        for items in batches_of([item for item in asked if source.has(item)]):
            batch = torch.from_numpy(images[[item.index for item in items]]).to(matrix.device)
            found = trial.attack(partial(source.anonymise, items, batch)).cpu().numpy()
            made |= dict(zip(items, found, strict=True))
        records = []
        for number, index in enumerate(chosen):
            row = manifest.loc[index]
            wanted = items_of([index], manifest, classes, targeted=True)
            items = [item for item in wanted if item in made]
            if not items:  # of images made elsewhere, some may be missing
                continue
            _save_png(target / f"{number:02d}.png", np.array(images[index]))
            files = {}
            for item in items:
                name = classes[item.target or 0]
                files[name] = f"{number:02d}-{item.target or 0:02d}.png"
                _save_png(target / files[name], made[item])
            records.append(
                {
                    "image_id": row["image_id"],
                    "source": row["model"],
                    "split": row["split"],
                    "attack": attack_name,
                    "original": f"{number:02d}.png",
                    "anonymised": files,
                }
            )
        write_json(target / "samples.json", records)


def _save_png(path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(path)


def _as_object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise TypeError(f"expected a JSON object, got {value!r}")
    return value
