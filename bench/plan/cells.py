"""Which rows there are of an attack under a condition, and by which keys they are found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.jobs.job import ScoreJob
from bench.jobs.networks import Networks
from bench.jobs.outcome import Done, Failed
from bench.jobs.scoring import rows as row_files
from bench.jobs.scoring.condition import PLAIN, Condition
from bench.jobs.scoring.items import ORDER_VERSION
from bench.jobs.scoring.rows import DISTORTION, RowFolder, read_record, read_rows
from bench.metrics import SCORER_VERSION
from bench.metrics.distortion import measured_by
from bench.metrics.lpips import RECORD as LPIPS
from bench.plan.failures import Failure, Failures
from bench.store import digest
from bench.types import Json

LOST = Failed(reason="its rows are no longer in the store; run the same command again")
"""Of rows whose jobs are done."""


@dataclass(kw_only=True)
class Cells:
    """All rows of one attack under one condition: what they lack, then what there is.

    Attributes:
        attack: Its name.
        suite: What this run calls it: a folder that was moved has the rows of its photographs.
        images: Image ids of Set-C, in the suite's order, which rows follow.
        key: Of all behind its images, and `row` where its rows are kept: none of an attack that
            failed before it made any.
        stems: Of each trained victim's files, by name.
        jobs: That fill it.
        broken: Why the attack failed.
        failed: What went wrong in the cells of a victim, by name, under whatever condition.
        victims: Stems of the other victims, whose rows are all there.
        measured: Whether the distortion rows are there.
        made_by: Provenance of this run.
    """

    attack: str
    suite: str
    images: Sequence[str]
    condition: Condition
    key: str = ""
    row: RowFolder | None = None
    stems: dict[str, str] = field(default_factory=dict)
    jobs: list[ScoreJob] = field(default_factory=list)
    broken: Failure | None = None
    failed: dict[str, Failure] = field(default_factory=dict)
    victims: dict[str, str] = field(default_factory=dict)
    measured: bool = False
    made_by: dict[str, Json] = field(default_factory=dict)

    def named(self, victim: str = "") -> tuple[str, str]:
        """Who is run, and on what: for logs. The attack, where no victim is named."""
        if not victim:
            return f"attack {self.attack}", self.condition.said
        return f"victim {victim}", f"on images of {self.attack} {self.condition.said}".rstrip()

    def note(self, job: ScoreJob, outcome: Done | Failed, failures: Failures) -> None:
        """Take note of what failed in a job, but not of what was left out because of it."""
        if isinstance(outcome, Done):
            found = dict(outcome.failed)
        else:
            found = {} if outcome.cause else {job.blamed()[1]: outcome}
        for victim, failed in found.items():
            failure = self._failure(failed, failures, victim)
            if victim:
                self.failed[victim] = failure
            else:
                self.broken = failure

    def settle(self, shards: range, kept: Sequence[Path], failures: Failures) -> None:
        """See what there is by now; leave no hole without a name.

        No victim has a cell without distortions, and without the images to be `kept`.
        """
        if self.row is None:  # the attack is not trained
            return
        self.measured = self.row.has(DISTORTION, shards)
        whole = self.measured and not (self.broken and not all(path.is_file() for path in kept))
        for victim, stem in self.stems.items():
            if victim in self.failed:
                continue
            if whole and self.row.has(stem, shards):
                self.victims[victim] = stem
            else:
                self.failed[victim] = self.broken or self._failure(LOST, failures, victim)
        if self.jobs:
            for victim in self.victims if self.broken else ["", *self.victims]:
                failures.clear(*self.named(victim))

    def share_failures(self, others: Sequence[Cells]) -> None:
        """Fail here whoever failed under another of an attack's conditions."""
        self.failed = {v: why for one in (*others, self) for v, why in one.failed.items()}
        self.victims = {v: stem for v, stem in self.victims.items() if v not in self.failed}

    def _failure(self, failed: Failed, failures: Failures, victim: str = "") -> Failure:
        who, where = self.named(victim)
        return failures.note(who, failed, where)

    def predictions(self) -> pd.DataFrame:
        """Rows of all victims."""
        return self._rows(*self.victims.values())

    def distortion(self) -> pd.DataFrame:
        """One row an image and target."""
        return self._rows(*([DISTORTION] if self.measured else []))

    def provenance(self, others: Iterable[Cells] = ()) -> dict[str, Json]:
        """That of every run that filled it or `others`, the last one first, and what all took."""
        records = [one for cells in (self, *others) for one in cells._records]
        by = sorted(records, key=lambda one: (one["by"]["created"], one["at"]), reverse=True)
        runs = {digest(one["by"]): one["by"] for one in by}
        last, *former = runs.values() or [self.made_by]
        seconds = sum({one["at"]: one["seconds"] for one in by}.values())
        return {**last, "wall_time_s": round(float(seconds), 1), "also_scored_by": former}

    @property
    def suspicions(self) -> list[Json]:
        """What its images, or a victim's first logits, looked like, as an entry says it."""
        return [
            {"victim": one["victim"], **told} for one in self._records for told in one["suspicions"]
        ]

    @cached_property
    def _records(self) -> list[dict[str, Any]]:
        """What every file says of its making, with the victim that it is of."""
        if self.row is None:
            return []
        named = {**({"": DISTORTION} if self.measured else {}), **self.victims}
        return [
            {**read_record(path), "victim": victim}
            for victim, stem in named.items()
            for path in self.row.files(stem)
        ]

    def _rows(self, *stems: str) -> pd.DataFrame:
        """Those of one stem after the other, each in the suite's order."""
        if self.row is None or not stems:
            return pd.DataFrame()
        rows = read_rows([path for stem in stems for path in self.row.files(stem)])
        place = {name: at for at, name in enumerate(self.images)}
        stem_of = rows["victim"].factorize()[0] if "victim" in rows else np.zeros(len(rows))
        turns = np.lexsort((rows["image_id"].map(place), stem_of))
        return rows.iloc[turns].reset_index(drop=True).assign(suite=self.suite)


def row_key(networks: Networks, attack: str, condition: Condition = PLAIN) -> str:
    """Digest of everything behind an attack's rows but the victims."""
    # The same source gives other pixels where libraries or processors differ.
    pixels = {} if networks.set_c is None else {"set_c": networks.set_c}
    return digest(
        {
            **condition.identity,
            **pixels,
            "asked": [ORDER_VERSION, row_files.SHARD_IMAGES],
            "attack": networks.attack_digest(attack),
            "suite": networks.graph.suite.fingerprint,
            "scorer": SCORER_VERSION,
            "precision": "fp32",  # of attacks, always; that of a victim is in its own cells' key
            "device": networks.device.type,
            "lpips": LPIPS,
            **({"metrics": measured} if (measured := measured_by()) else {}),
        }
    )
