"""Scores one shard of Set-C under one attack: a final Parquet file a victim, one of distortions."""

from __future__ import annotations

import time
from dataclasses import asdict
from functools import partial

from bench.contract import ATTACKS, VICTIMS
from bench.jobs.job import Keys, ScoreJob
from bench.jobs.opened_files import note_opened
from bench.jobs.outcome import Failed, Trial
from bench.jobs.scoring.items import ImageSource
from bench.jobs.scoring.kept import KeptImages, Recorder, kept_file
from bench.jobs.scoring.lookout import Lookout
from bench.jobs.scoring.rows import DISTORTION, RowFolder, row_shards, write_rows
from bench.jobs.workplace import Workplace
from bench.processes import memory_gib

KEY_DIGITS = 16


def score_shard(job: ScoreJob, place: Workplace) -> dict[str, Failed]:
    """Anonymise a shard once and score it on all victims that have no rows of it yet.

    Returns:
        Victims that failed; the others' rows are in the store.

    Raises:
        ParticipantError: If the attack fails.
    """
    folder = place.store.prediction_folder(job.row)
    with place.store.lock("predictions", f"{folder.name}-{job.shard:05d}"):
        return _score(job, place)


def _score(job: ScoreJob, place: Workplace) -> dict[str, Failed]:
    row, shard = RowFolder(place.store.prediction_folder(job.row)), job.shard
    images = kept_file(place.store, job.kept, shard)
    stems = {name: stem for name, stem in job.stems if not row.has(stem, [shard])}
    measures = not row.has(DISTORTION, [shard]) or (job.alone and not job.stems)
    keeps = job.keep_images and not images.is_file()
    if not (stems or measures or keeps):
        return {}
    trial = Trial(strict=False)
    opened = {name: trial.victim(name, partial(place.networks.victim, name)) for name in stems}
    victims = {name: victim for name, victim in opened.items() if victim is not None}
    began, began_cpu, scorer = time.monotonic(), time.process_time(), place.scorer
    scorer.trial, scorer.lookout = trial, None if shard else Lookout()
    scorer.foreign = {name for name in stems if not VICTIMS.is_own(name)}
    source: ImageSource
    if images.is_file():
        source = KeptImages(images, targeted=ATTACKS.get(job.attack).spec.targeted)
    else:
        source = trial.attack(partial(place.attack, job.attack))
    recorder = Recorder(source) if keeps else None
    indices, keys = row_shards(scorer.order)[shard], place.site.keys
    scored = scorer.score(
        recorder or source,
        victims,
        indices,
        condition=job.condition,
        distortions=measures,
    )
    note_opened(place.store, keys.attacks[job.attack], ATTACKS.get(job.attack))
    for name in victims:
        note_opened(place.store, keys.victims[name], VICTIMS.get(name))
    by = place.provenance
    if isinstance(source, KeptImages):
        by = {**by, "images_made_by": source.made_by}
    record = {
        "by": by,
        "at": time.time(),
        "seconds": time.monotonic() - began,
        "cpu_seconds": time.process_time() - began_cpu,
        "memory_gib": memory_gib(place.device),
    }
    if recorder is not None:
        recorder.write(images, by)
    suspected = {} if scorer.lookout is None else scorer.lookout.found
    frames = {"": scored.distortion, **scored.predictions}
    for name, stem in {"": DISTORTION, **stems}.items():
        rows = frames.get(name)
        if rows is not None and not row.has(stem, [shard]):
            told = {**record, "suspicions": [asdict(one) for one in suspected.get(name, [])]}
            columns = key_columns(keys, job.attack, name or None)
            write_rows(row.file(stem, shard), rows.assign(**columns), told)
    return trial.failed


def key_columns(keys: Keys, attack: str, victim: str | None = None) -> dict[str, str]:
    """What every row of a cell says of its networks; without a victim, of distortions."""
    said = {"attack": attack, "attack_key": keys.attacks[attack][:KEY_DIGITS]}
    return said if victim is None else said | {"victim_key": keys.victims[victim][:KEY_DIGITS]}
