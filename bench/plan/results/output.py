"""Writes a finished matrix to a folder: rows, also under conditions, entries, sample images."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from bench.contract import ATTACKS, VICTIMS
from bench.data import encode_png
from bench.jobs.building import traits_of
from bench.jobs.opened_files import as_told
from bench.jobs.scoring.condition import PLAIN
from bench.jobs.scoring.items import items_of
from bench.jobs.scoring.kept import KeptImages
from bench.jobs.scoring.score import KEY_DIGITS
from bench.metrics import SCORER_VERSION
from bench.metrics.distortion import measured_by
from bench.metrics.lpips import RECORD as LPIPS
from bench.plan.cells import Cells
from bench.plan.failures import Failure
from bench.plan.session import Session
from bench.records.entry import ENTRY_SCHEMA, parse_entry
from bench.records.frames import images_digest, images_told
from bench.records.load import CONDITIONS
from bench.records.parquet import write_frame
from bench.records.participants import NO_NETWORK
from bench.store import replacing, write_json
from bench.suites.audit.record import kept_audit
from bench.types import CamobenchError, Json, as_json

SAMPLES = "samples"
SAMPLES_PER_MODEL = 2
FAILURES = "failures"


def write_matrix(out: Path, session: Session, cells: Sequence[Cells]) -> None:
    """Write all rows and one entry an attack into `out`; stale files of earlier runs go."""
    out.mkdir(parents=True, exist_ok=True)
    plain = [one for one in cells if one.condition == PLAIN]
    others = [one for one in cells if one.condition != PLAIN]
    _write_rows(out / "predictions.parquet", [cell.predictions() for cell in plain if cell.victims])
    _write_rows(out / "distortion.parquet", [cell.distortion() for cell in plain if cell.measured])
    _write_conditions(out, [cell for cell in others if cell.victims])
    for stale in (*out.glob("entry-*.json"), *out.glob(f"{FAILURES}/*.log")):
        stale.unlink()
    for cell in plain:
        under = [one for one in others if one.attack == cell.attack]
        write_json(out / f"entry-{cell.attack}.json", entry(session, cell, under))
        for failure in cell.failed.values():
            (out / FAILURES).mkdir(exist_ok=True)
            with suppress(FileNotFoundError):  # another run has done meanwhile what failed here
                shutil.copyfile(failure.log, out / FAILURES / failure.log.name)
    with suppress(OSError):  # where there is none, or something is in it
        (out / FAILURES).rmdir()
    if (out / SAMPLES).is_dir():
        shutil.rmtree(out / SAMPLES)
    if kept := session.sample:
        write_samples(out / SAMPLES, session, kept)


def _write_rows(path: Path, frames: Sequence[pd.DataFrame]) -> None:
    if frames:
        write_frame(path, pd.concat(frames, ignore_index=True))
    else:
        path.unlink(missing_ok=True)


def _write_conditions(out: Path, cells: Sequence[Cells]) -> None:
    """Write rows whose images went through something before they were scored; stale files go.

    They have the columns of the ordinary rows and of the condition. Distortions are of weaker
    attacks alone.
    """

    def under(cell: Cells, rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(**asdict(cell.condition)).astype({"quality_percent": "Int64"})

    weaker = [one for one in cells if one.measured and one.condition.quality_percent is None]
    rows, measured = (out / f"{name}.parquet" for name in CONDITIONS)
    _write_rows(rows, [under(one, one.predictions()) for one in cells])
    _write_rows(measured, [under(one, one.distortion()) for one in weaker])


def entry(session: Session, cell: Cells, under: Sequence[Cells]) -> dict[str, Json]:
    """Everything that says what one row of the tables is and where it comes from.

    The provenance is that of the runs that scored it, also `under` conditions, not of the one that
    writes it down.
    """
    graph, store = session.graph, session.store
    attack = ATTACKS.get(cell.attack)
    images = images_told(session.place.scorer.manifest)
    victims = [
        {
            **_fields(victim.spec),
            **as_told(victim, store, key),
            "key": key[:KEY_DIGITS],
            "family": name if victim.spec.supplementary else victim.spec.front_end,
            "classes": list(graph.classes[name]),
            "digest": cell.victims.get(name, NO_NETWORK),
            "precision": session.networks.victim_precision(name),
        }
        for name, key in graph.victims.items()
        for victim in [VICTIMS.get(name)]
    ]
    record = {
        "schema": ENTRY_SCHEMA,
        "attack": {
            **_fields(attack.spec),
            **as_told(attack, store, graph.attacks[cell.attack]),
            "key": graph.attacks[cell.attack][:KEY_DIGITS],
            "digest": session.networks.attack_digest(cell.attack) if cell.measured else NO_NETWORK,
            "hyperparameters": _hyperparameters(session, cell.attack),
        },
        "victims": victims,
        "failed": [{"victim": victim, **_told(failure)} for victim, failure in cell.failed.items()],
        **({"suspicions": cell.suspicions} if cell.suspicions else {}),
        "suite": {
            **_fields(graph.suite),
            # so that rows of some of its images are not taken for all
            "evaluated": {"images": len(images), "sha256": images_digest(images)},
            "audit": kept_audit(session.place.suite),
        },
        "recipe": graph.recipe.name,
        "seed": graph.seed,
        **({} if graph.attack_seed == graph.seed else {"attack_seed": graph.attack_seed}),
        "scorer_version": SCORER_VERSION,
        "lpips": LPIPS,
        **({"metrics": measured} if (measured := measured_by()) else {}),
        "provenance": cell.provenance(under),
    }
    return parse_entry(json.dumps(record)).as_json()


def _told(failure: Failure) -> dict[str, Json]:
    log = f"{FAILURES}/{failure.log.name}"
    return {"who": failure.who, "reason": failure.reason, "log": log}


def _hyperparameters(session: Session, attack: str) -> Json:
    graph = session.graph
    try:
        traits, _ = traits_of("attack", attack, graph.suite, graph.recipe)
        return dict(traits.hyperparameters)
    except CamobenchError:  # its cells say why
        return {}


def write_samples(folder: Path, session: Session, kept: KeptImages) -> None:
    """Write some originals and their anonymised versions, one to every target, as PNG."""
    manifest, images = session.place.scorer.manifest, session.place.scorer.images
    classes, records = session.graph.suite.classes, list[dict[str, Any]]()
    first = manifest.loc[sorted(session.shards[0])]
    with replacing(folder) as target:
        target.mkdir()
        chosen = first.groupby("model", sort=False).head(SAMPLES_PER_MODEL)
        for index in map(int, chosen.index):
            row, wanted = manifest.loc[index], items_of([index], manifest, classes, targeted=True)
            items = [item for item in wanted if kept.has(item)]
            if not items:  # of images made elsewhere, some may be missing
                continue
            number, original = f"{len(records):02d}", np.array(images[index])
            (target / f"{number}.png").write_bytes(encode_png(original, compress_level=1))
            files: dict[str, str] = {}
            for item in items:
                place = item.target or 0
                files[classes[place]] = f"{number}-{place:02d}.png"
                made = kept.anonymise([item], torch.from_numpy(original[None]))[0].numpy()
                (target / files[classes[place]]).write_bytes(encode_png(made, compress_level=1))
            records.append(
                {
                    "image_id": row["image_id"],
                    "source": row["model"],
                    "split": row["split"],
                    "attack": session.sampled,
                    "original": f"{number}.png",
                    "anonymised": files,
                }
            )
        write_json(target / "samples.json", records)


def _fields(described: object) -> dict[str, Json]:
    return dict(as_json(described))  # type: ignore[arg-type]
