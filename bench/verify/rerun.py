"""Runs a sample of a result's rows again, with the networks that its entries name."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from bench.checks import to_unit
from bench.contract import Victim
from bench.jobs.scoring.condition import Condition
from bench.jobs.scoring.items import Item, asked_of, batches_of, mixed, source_of
from bench.jobs.scoring.rows import prediction_rows
from bench.metrics.distortion import measure
from bench.plan.again import NotAtHandError
from bench.records.entry import Provenance
from bench.records.frames import images_of, images_told, same_distortion
from bench.records.run import RunData
from bench.store import Store
from bench.suites.base import Suite
from bench.types import SILENT, CamobenchError, Progress, StoppingError
from bench.verdicts import Outcome, Verdict
from bench.verify.reopen import Reopened, reopened
from bench.wording import listed, plural

MARGIN, LARGEST_DIFFERENCE = 1e-4, 1e-2
"""Predictions whose two best probabilities are closer than the first may flip, see DESIGN.md; above
the second a probability is another one: processors and batch sizes move it by some 1e-6."""
REDUCED_MARGIN, REDUCED_DIFFERENCE = 0.02, 0.05
"""The same for rows that were scored in bf16, which other processors sum in another order."""
ROWS = 64
PROBABILITIES = ["p_source", "p_target", "p_predicted"]


def recheck(
    folder: Path,
    store: Store,
    *,
    rows: int | None = ROWS,
    seed: int | None = None,
    device: str = "cpu",
    progress: Progress = SILENT,
) -> list[Verdict]:
    """Check the images against the suite, and re-run a random sample of rows.

    Rows under conditions are rows too, and each is looked at with its distortions. It is shared
    out evenly over the attacks; `rows` of `None` are all. Without a `seed` it is drawn by chance,
    so that nobody who makes up rows can know which ones are looked at.
    """
    where = torch.device(device)
    try:
        with reopened(folder, store, where, progress) as opened:
            verdicts = [_check_images(opened), *opened.verdicts]
            return [*verdicts, _rerun(opened, rows, seed, where, progress)]
    except NotAtHandError as error:
        return [Verdict("re-run", "skip", f"not at hand: {error}")]


def _rerun(
    opened: Reopened, rows: int | None, seed: int | None, device: torch.device, progress: Progress
) -> Verdict:
    run, every = opened.run, _all_rows(opened.run)
    chosen = every[every["attack"].isin(opened.attacks) & every["victim"].isin(opened.victims)]
    if chosen.empty:
        none = "no row: the store and the package lack the networks that the entries name"
        return Verdict("re-run", "skip", none)
    drawn = "; all there are"
    if rows is not None and rows < len(chosen):
        seed = secrets.randbelow(2**31) if seed is None else seed
        chosen, drawn = _sample(chosen, rows, seed), f"; drawn with --seed {seed}"
    progress.start("re-running rows", len(chosen))
    again: list[pd.DataFrame] = []
    for _, part in chosen.groupby(["attack", "said"], sort=True):
        try:
            again += _run_again(part, opened, device)
        except StoppingError:
            raise
        except CamobenchError as error:
            return Verdict("re-run", "fail", str(error))
        progress.advance(len(part))
    progress.finish()
    devices = {entry.provenance.device.partition(":")[0] for entry in run.entries}
    told = _judge(pd.concat(again), same_device=devices == {device.type})
    finding = told.finding + drawn
    absent = [one.name for one in run.attacks if one.name not in opened.attacks]
    absent += [one.name for one in run.victims if one.name not in opened.victims]
    if absent and told.verdict == "ok":
        return Verdict("re-run", "warn", f"{finding}; none of {listed(absent)}, see above")
    return replace(told, finding=finding)


def _all_rows(run: RunData) -> pd.DataFrame:
    """Predictions, those under conditions too, with the distortions of their images."""
    plain = {"strength": 1.0, "quality_percent": None, "said": ""}
    rows, images = run.predictions.assign(**plain), run.distortion.assign(said="")
    if len(run.conditions):  # else these columns have no types
        rows = pd.concat([rows, run.conditions])
        images = pd.concat([images, run.condition_distortion])
    cell = ["split", "image_id", "target", "attack", "said"]
    told = images[[*cell, *(metric.name for metric in run.metrics)]].drop_duplicates(cell)
    return rows.merge(told, on=cell, how="left")


def _sample(rows: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """Rows by chance, equally many of each attack while it has any."""
    shuffled = rows.sample(frac=1, random_state=seed)
    turn = shuffled.groupby("attack").cumcount()
    return shuffled.loc[turn.sort_values(kind="stable").index[:count]]


def _check_images(opened: Reopened) -> Verdict:
    suite = opened.suite
    manifest = images_told(suite.manifest("C")).astype("object")
    scored = images_of(opened.run.predictions).astype("object")
    known, found = pd.MultiIndex.from_frame(manifest), pd.MultiIndex.from_frame(scored)
    problems = []
    for one, other, what in (
        (known, found, "of Set-C missing"),
        (found, known, "that Set-C has otherwise"),
    ):
        if images := sorted(set(one.difference(other).get_level_values(0))):
            problems.append(f"{plural(len(images), 'image')} {what}: {listed(images, 3)}")
    outcome: Outcome = "fail" if problems else "ok"
    moved = [e.attack.name for e in opened.run.entries if not _same_pixels(e.provenance, suite)]
    if moved:
        outcome = "fail" if problems else "warn"
        problems.append(
            f"{listed(moved, 3)}: scored on other pixels than the store has; other versions of "
            "libraries or another processor may have made them"
        )
    fine = f"{len(manifest)} images, named and labelled as in the suite, pixels as they were made"
    return Verdict("images of Set-C", outcome, "; ".join(problems) or fine)


def _same_pixels(origin: Provenance, suite: Suite) -> bool:
    """Whether all runs behind an entry had the store's images; true where nobody has said."""
    others = {one.set_c_sha256 for one in origin.also_scored_by}
    return {origin.set_c_sha256, *others} - {None} <= {suite.checksum("C")}


@torch.no_grad()
def _run_again(
    rows: pd.DataFrame, opened: Reopened, device: torch.device
) -> Iterator[pd.DataFrame]:
    """Rows of one attack under one condition, with what they give this time (`_compared`).

    Raises:
        CamobenchError: If there is no image or target of a row, or it was never sent.
    """
    name, quality = str(rows["attack"].iloc[0]), rows["quality_percent"].iloc[0]
    condition = Condition(
        strength=float(rows["strength"].iloc[0]),
        quality_percent=None if pd.isna(quality) else int(quality),
    )
    suite, networks = opened.suite, opened.networks
    source, classes = source_of(networks.attack(name)), suite.card.classes
    manifest = suite.manifest("C")
    places = {image: index for index, image in enumerate(manifest["image_id"])}
    targets = {target: label for label, target in enumerate(classes)} if source.targeted else {}
    pairs = list(zip(rows["image_id"], rows["target"], strict=True))
    asked = [Item(index=places.get(image, -1), target=targets.get(to)) for image, to in pairs]
    indices = mixed(manifest, {item.index for item in asked} - {-1})
    everything = asked_of(indices, len(classes), targeted=source.targeted)
    there = [item for item in everything if source.has(item)]  # a shard after the other
    known = {*there}
    for item, (image, target) in zip(asked, pairs, strict=True):
        if item not in known:
            to = f" to {target}" if source.targeted else ""
            raise CamobenchError(f"there is a row of {name} on {image}{to}, but no such image")
    for items in batches_of(there):
        spot = {item: at for at, item in enumerate(items)}
        here = rows.assign(place=[spot.get(item, -1) for item in asked])
        here = here[here["place"] >= 0]
        if here.empty:
            continue
        originals = torch.from_numpy(suite.images("C")[[item.index for item in items]]).to(device)
        anonymised = condition.of(originals, source.anonymise(items, originals))
        wanted = np.unique(here["place"])
        measured = measure(originals[wanted], anonymised[wanted])
        now = pd.DataFrame({k: v.double().numpy() for k, v in measured.items()}, index=wanted)
        here = here.assign(distorted=_distorted(here, now.loc[here["place"]]))
        images = to_unit(anonymised)
        for victim_name, mine in here.groupby("victim", sort=False):
            victim, unit = networks.victim(str(victim_name)), images[mine["place"].tolist()]
            logits = victim.checked_logits(unit)
            reduced = networks.victim_precision(str(victim_name)) == "bf16"
            yield _compared(mine, victim, logits.float().softmax(1).cpu().numpy(), reduced=reduced)


def _distorted(rows: pd.DataFrame, now: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether a row's image is distorted otherwise than stated, where it is, given what it is."""
    off = np.zeros(len(rows), np.bool_)
    for name in now.columns.intersection(rows.columns):
        stated = rows[name].to_numpy(np.float64)
        off |= ~same_distortion(now[name].to_numpy(), stated) & ~np.isnan(stated)
    return off


def _compared(
    rows: pd.DataFrame, victim: Victim, values: NDArray[np.float32], *, reduced: bool
) -> pd.DataFrame:
    """Rows of one victim, with what is another this time, given (N, C) probabilities.

    `flipped`: another label is predicted; `wrong`: and not for want of a clear winner;
    `difference`: the largest of the row's probabilities; `moved`: it is too large.
    """
    again = prediction_rows(rows, victim, values)
    places = pd.Index(victim.classes).get_indexer(pd.Index(rows["predicted"]))
    # What is likely now of the label of then; what is no class is not.
    before = np.where(places < 0, 0, values[np.arange(len(rows)), places])
    apart = (again.assign(p_predicted=before)[PROBABILITIES] - rows[PROBABILITIES]).abs()
    difference = apart.max(axis=1).fillna(0.0)
    flipped = again["predicted"] != rows["predicted"]
    least = REDUCED_MARGIN if reduced else MARGIN
    return rows.assign(
        flipped=flipped,
        wrong=flipped & (again["p_predicted"] - before > least),
        difference=difference,
        moved=difference > (REDUCED_DIFFERENCE if reduced else LARGEST_DIFFERENCE),
    )


def _judge(rows: pd.DataFrame, *, same_device: bool) -> Verdict:
    wrong = rows[rows["wrong"]]
    finding = (
        f"{plural(len(rows), 'row')} of {plural(rows['attack'].nunique(), 'attack')} and "
        f"{plural(rows['victim'].nunique(), 'victim')}: "
        f"{plural(int(rows['flipped'].sum()), 'prediction')} flipped, {len(wrong)} of them by more "
        f"than rounding; largest difference of probabilities {rows['difference'].max():.1e}; "
        f"{plural(int(rows['distorted'].sum()), 'distortion')} otherwise than stated"
    )
    if not rows[["wrong", "moved", "distorted"]].to_numpy().any():
        return Verdict("re-run", "ok", finding)
    worst = wrong if len(wrong) else rows[rows["distorted"]]
    worst = worst if len(worst) else rows.nlargest(1, "difference")
    targets = (" to " + worst["target"].astype("string")).fillna("")
    named = worst["attack"] + " on " + worst["victim"] + ", " + worst["image_id"] + targets
    named += (" " + worst["said"]).str.rstrip()
    finding += f"; {listed(list(named), 3)}"
    if len(wrong) or same_device:
        return Verdict("re-run", "fail", finding)
    return Verdict("re-run", "warn", f"{finding}; scored on another type of device")
