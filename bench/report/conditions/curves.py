"""Success against distortion over the strengths of each attack, and success at equal distortion.

A run scored with `--strength` knows each attack at several strengths. With the untouched images,
which are every attack at strength 0, they make a curve; what attacks are ranked by is read off it
at one level of distortion (`MetricSpec.level`), see `bench.metrics.equal_distortion`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bench.metrics.equal_distortion import Distorted, at_level
from bench.metrics.paired import Shared, shared
from bench.metrics.resampling import UNDEFINED, Figure
from bench.metrics.success import CLEAN_CONTROL
from bench.records.metric import MetricSpec
from bench.records.participants import AttackRecord
from bench.records.run import RunData, once
from bench.report.statistics import attack_rows, averaged, rated_attacks, untouched_rows


@dataclass(frozen=True, kw_only=True)
class Strength:
    """One attack at one strength in one split.

    Attributes:
        predictions: Its rows.
        distortion: Sum and count by scene and image, of the metric by whose level attacks are
            compared.
    """

    strength: float
    predictions: pd.DataFrame
    distortion: pd.DataFrame

    @property
    def sizes(self) -> tuple[int, int]:
        """Rows of predictions, and of distortions."""
        return len(self.predictions), int(self.distortion["count"].sum())


@dataclass(frozen=True, kw_only=True)
class Point:
    """Of a curve: mean distortion, and success as a fraction with its 95 % interval."""

    strength: float
    distortion: float
    success: Figure


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One attack in one split by one metric.

    Attributes:
        points: By rising strength, the untouched images first.
        at: Success at the level of `fidelity`; undefined where the whole attack distorts more than
            that and no weaker one was scored.
        whole: Whether that is the whole attack, which distorts less.
        in_part: Whether victims are missing that means are over.
    """

    attack: AttackRecord
    split: str
    metric: MetricSpec
    fidelity: MetricSpec
    images: int
    points: tuple[Point, ...]
    at: Figure
    whole: bool
    in_part: bool

    @property
    def is_shown(self) -> bool:
        """Whether tables show it: TASR of targeted attacks, UASR of the others."""
        return self.attack.targeted == (self.metric.needs == "target")


def fidelity_of(run: RunData) -> MetricSpec | None:
    """The metric by whose level attacks are compared, where the run has it."""
    return next((metric for metric in run.metrics if metric.level is not None), None)


def has_strengths(run: RunData) -> bool:
    """Whether any attack was scored at less than its full strength."""
    return bool((run.conditions["quality_percent"].isna()).any())


@once
def strengths_of(run: RunData, attack: str, split: str) -> tuple[Strength, ...]:
    """An attack by rising strength, from the untouched images to the whole attack.

    Nothing where it has no rows, or untouched images were not scored. A strength that was scored or
    measured in part is left out: a mean over some images or victims is no point of the curve.
    """
    predictions, distortion, changed = (
        attack_rows(run, table, attack, split)
        for table in ("predictions", "distortion", "condition_distortion")
    )
    fidelity, nothing = fidelity_of(run), untouched_rows(run, split)
    if fidelity is None or nothing.empty or distortion.empty:
        return ()

    def by_image(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.groupby(["scene", "image_id"])[fidelity.name].agg(["sum", "count"])

    whole = Strength(strength=1.0, predictions=predictions, distortion=by_image(distortion))
    unchanged = whole.distortion.assign(sum=fidelity.unchanged * whole.distortion["count"])
    untouched = Strength(strength=0.0, predictions=nothing, distortion=unchanged)
    if attack == CLEAN_CONTROL:
        return (untouched, replace(untouched, strength=1.0))
    after = attack_rows(run, "conditions", attack, split)
    weaker = after[after["quality_percent"].isna() & after["victim"].isin(predictions["victim"])]
    found = (
        Strength(
            strength=float(strength),
            predictions=weaker[weaker["strength"] == strength],
            distortion=by_image(changed[changed["strength"] == strength]),
        )
        for strength in np.unique(weaker["strength"])
    )
    return (untouched, *(one for one in found if one.sizes == whole.sizes), whole)


def reaches_level(run: RunData, attack: str, split: str) -> bool:
    """Whether its success at the level is known."""
    found, fidelity = strengths_of(run, attack, split), fidelity_of(run)
    if not found or fidelity is None:
        return False
    far = found[-1].distortion.sum()
    return len(found) > 2 or bool(far["sum"] / far["count"] <= fidelity.level)


def at_equal_distortion(
    run: RunData,
    attacks: Sequence[str],
    split: str,
    metric: MetricSpec,
    families: dict[str, str],
) -> Shared | None:
    """Attacks at the level, on what all of them were scored on.

    Args:
        run: The run.
        attacks: Names of those that are compared, all of which reach the level.
        split: One of `SPLITS`.
        metric: Of rows, defined for all of them.
        families: Victim name to family; other victims are left out.

    Returns:
        `None` where they share nothing.
    """
    found = [strengths_of(run, name, split) for name in attacks]
    both = _shared([step for steps in found for step in steps], metric, families)
    fidelity = fidelity_of(run)
    if both is None or fidelity is None or fidelity.level is None:
        return None
    return at_level(*both, [*map(len, found)], fidelity.level)


def _shared(
    steps: Sequence[Strength], metric: MetricSpec, families: dict[str, str]
) -> tuple[Shared, Distorted] | None:
    """Success and distortion on the images that all strengths have in common."""
    rows = [one.predictions for one in steps]
    found = shared(rows, metric, families, by_target=metric.needs == "target")
    if found is None:
        return None
    mine = (
        one.distortion[one.distortion.index.isin(found.image_ids, level="image_id")]
        for one in steps
    )
    far = [one.groupby("scene").sum().reindex(list(found.scene_ids), fill_value=0) for one in mine]
    sums, counts = (np.stack([one[of].to_numpy(float) for one in far]) for of in ("sum", "count"))
    return found, Distorted(sums=sums, counts=counts)


@once
def curves_of(run: RunData) -> list[Curve]:
    """TASR of targeted attacks and UASR of all, in each split where they are defined.

    Raises:
        ValueError: If no attack was scored at a lower strength.
    """
    if not has_strengths(run):
        raise ValueError(
            f"{run.directory} holds no rows of weaker attacks; score them with `camobench run "
            "--strength 0.25,0.5,0.75` and the run's other options"
        )
    found = (_curve(run, *one) for one in rated_attacks(run) if one[2].name != CLEAN_CONTROL)
    return [curve for curve in found if curve is not None]


def _curve(run: RunData, split: str, metric: MetricSpec, attack: AttackRecord) -> Curve | None:
    steps = strengths_of(run, attack.name, split)
    fidelity, victims = fidelity_of(run), averaged(run.victims)
    both = _shared(steps, metric, victims) if steps else None
    if both is None or fidelity is None or fidelity.level is None:
        return None
    (success, distorted), at, whole = both, UNDEFINED, False
    if reaches_level(run, attack.name, split):
        (at,) = at_level(*both, [len(steps)], fidelity.level).figures
        whole = bool(distorted.means[-1] <= fidelity.level)
    return Curve(
        attack=attack,
        split=split,
        metric=metric,
        fidelity=fidelity,
        images=success.images,
        points=tuple(
            Point(strength=step.strength, distortion=float(far), success=figure)
            for step, far, figure in zip(steps, distorted.means, success.figures, strict=True)
        ),
        at=at,
        whole=whole,
        in_part=len(success.weights) < len(victims),
    )
