"""Runs a sample of a result's rows again, with the networks that its entries name."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from bench.checks import to_unit
from bench.jobs.networks import Networks
from bench.jobs.scoring.items import Item, asked_of, batches_of, mixed, source_of
from bench.store import Store
from bench.suites.base import Suite
from bench.types import CamobenchError, Progress, Silent, StoppingError
from bench.verdicts import Outcome, Verdict
from bench.verify.reopen import ImagesMissingError, Reopened, reopen, sent_rows_known
from bench.wording import listed, plural

MARGIN = 1e-4
"""Predictions whose two best probabilities are closer than this may flip, see DESIGN.md."""
LARGEST_DIFFERENCE = 1e-2
"""Above it a probability is another one: processors and batch sizes move it by some 1e-6."""
REDUCED_MARGIN, REDUCED_DIFFERENCE = 0.02, 0.05
"""The same for rows that were scored in bf16, which other processors sum in another order."""
ROWS = 64


@dataclass(frozen=True, kw_only=True)
class Again:
    """What one row gives this time.

    Attributes:
        flipped: Another label is predicted.
        margin: How much likelier it is than the one that was predicted before; 0 for no flip.
        difference: Largest change of the row's probabilities.
        reduced: Whether the victim computes in bf16.
    """

    row: str
    flipped: bool
    margin: float
    difference: float
    reduced: bool

    @property
    def is_wrong(self) -> bool:
        """Whether another label is predicted, and not for want of a clear winner."""
        return self.flipped and self.margin > (REDUCED_MARGIN if self.reduced else MARGIN)

    @property
    def is_moved(self) -> bool:
        """Whether its probabilities are other ones."""
        return self.difference > (REDUCED_DIFFERENCE if self.reduced else LARGEST_DIFFERENCE)


def recheck(
    folder: Path,
    store: Store,
    *,
    rows: int | None = ROWS,
    seed: int | None = None,
    device: str = "cpu",
    shipped: bool = True,
    progress: Progress | None = None,
) -> list[Verdict]:
    """Check the images against the suite, and re-run a random sample of rows.

    Args:
        folder: Of a run that `load_run` takes.
        store: Where networks and images are looked for; those that ship with the package count.
        rows: How many to re-run, shared out evenly over the attacks; `None` for all.
        seed: Of the sample; drawn by chance where there is none, so that nobody who makes up rows
            can know which ones are looked at.
        device: Where networks run.
        shipped: Use the networks that ship with the package.
        progress: Told how far it is.
    """
    where, progress = torch.device(device), progress or Silent()
    with sent_rows_known(folder, store):
        try:
            opened = reopen(folder, store, where, shipped=shipped, progress=progress)
        except ImagesMissingError as error:
            return [Verdict("re-run", "skip", f"images are not at hand: {error}")]
        verdicts = [_check_images(opened), *opened.verdicts]
        return [*verdicts, _rerun(opened, rows, seed, where, progress)]


def _rerun(
    opened: Reopened, rows: int | None, seed: int | None, device: torch.device, progress: Progress
) -> Verdict:
    run, attacks, victims = opened.run, opened.attacks, opened.victims
    at_hand = run.predictions["attack"].isin(list(attacks))
    chosen = run.predictions[at_hand & run.predictions["victim"].isin(list(victims))]
    if chosen.empty:
        none = "no row: the store and the package lack the networks that the entries name"
        return Verdict("re-run", "skip", none)
    drawn = "; all there are"
    if rows is not None and rows < len(chosen):
        seed = secrets.randbelow(2**31) if seed is None else seed
        chosen, drawn = _sample(chosen, rows, seed), f"; drawn with --seed {seed}"
    progress.start("re-running rows", len(chosen))
    again = []
    for attack, part in chosen.groupby("attack", sort=True):
        try:
            again += _run_again(part, attacks[str(attack)], victims, opened.suite, device)
        except StoppingError:
            raise
        except CamobenchError as error:
            return Verdict("re-run", "fail", str(error))
        progress.advance(len(part))
    progress.finish()
    devices = {one["provenance"]["device"].partition(":")[0] for one in opened.entries.values()}
    told = _judge(again, chosen, same_device=devices == {device.type})
    finding = told.finding + drawn
    known = {*attacks, *victims}
    absent = [one.name for one in (*run.attacks, *run.victims) if one.name not in known]
    if absent and told.verdict == "ok":
        return Verdict("re-run", "warn", f"{finding}; none of {listed(absent)}, see above")
    return replace(told, finding=finding)


def _sample(rows: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """Rows by chance, equally many of each attack while it has any."""
    shuffled = rows.sample(frac=1, random_state=seed)
    turn = shuffled.groupby("attack").cumcount()
    return shuffled.loc[turn.sort_values(kind="stable").index[:count]]


def _check_images(opened: Reopened) -> Verdict:
    suite, names = opened.suite, ["image_id", "photo_id", "device", "source", "split"]
    manifest = suite.manifest("C").rename(columns={"model": "source"})[names].astype("object")
    scored = opened.run.predictions[names].drop_duplicates().astype("object")
    known, found = pd.MultiIndex.from_frame(manifest), pd.MultiIndex.from_frame(scored)
    problems = []
    try:
        suite.verify("C")
    except CamobenchError as error:
        problems.append(str(error))
    for one, other, what in (
        (known, found, "of Set-C missing"),
        (found, known, "that Set-C has otherwise"),
    ):
        if images := sorted(set(one.difference(other).get_level_values(0))):
            problems.append(f"{plural(len(images), 'image')} {what}: {listed(images, 3)}")
    outcome: Outcome = "fail" if problems else "ok"
    moved = [name for name, entry in opened.entries.items() if not _same_pixels(entry, suite)]
    if moved:
        outcome = "fail" if problems else "warn"
        problems.append(
            f"{listed(moved, 3)}: scored on other pixels than the store has; other versions of "
            "libraries or another processor may have made them"
        )
    fine = f"{len(manifest)} images, named and labelled as in the suite, pixels as they were made"
    return Verdict("images of Set-C", outcome, "; ".join(problems) or fine)


def _same_pixels(entry: Mapping[str, Any], suite: Suite) -> bool:
    """Whether all runs behind an entry had the store's images; true where nobody has said."""
    origin = entry["provenance"]
    known = {one.get("set_c_sha256") for one in (origin, *origin.get("also_scored_by", []))}
    return known - {None} <= {suite.checksum("C")}


@torch.no_grad()
def _run_again(
    rows: pd.DataFrame,
    attacks: Networks,
    victims: Mapping[str, Networks],
    suite: Suite,
    device: torch.device,
) -> list[Again]:
    """Rows of one attack."""
    name = str(rows["attack"].iloc[0])
    source, classes = source_of(attacks.attack(name)), suite.card.classes
    manifest = suite.manifest("C")
    place = {image: index for index, image in enumerate(manifest["image_id"])}
    asked = pd.Series(
        [
            Item(index=place[i], target=classes.index(t) if source.targeted else None)
            for i, t in zip(rows["image_id"], rows["target"], strict=True)
        ],
        index=rows.index,
    )
    indices = mixed(manifest, {item.index for item in asked})
    everything = asked_of(indices, len(classes), targeted=source.targeted)
    found = []
    for items in batches_of([item for item in everything if source.has(item)]):
        spot = {item: at for at, item in enumerate(items)}
        here = rows[asked.isin(spot)]
        originals = torch.from_numpy(suite.images("C")[[item.index for item in items]]).to(device)
        images = to_unit(source.anonymise(items, originals))
        for victim_name, mine in here.groupby("victim", sort=False):
            networks = victims[str(victim_name)]
            victim = networks.victim(str(victim_name))
            reduced = networks.victim_precision(str(victim_name)) == "bf16"
            spots = torch.tensor([spot[item] for item in asked.loc[mine.index]], device=device)
            unit = images[spots]
            logits = victim.checked_logits(victim.logits(unit), len(unit))
            values = logits.float().softmax(1).cpu().numpy()
            found += [
                _compared(row, values[i], victim.classes, reduced=reduced)
                for i, (_, row) in enumerate(mine.iterrows())
            ]
    return found


def _compared(
    row: pd.Series[Any], values: np.ndarray, classes: tuple[str, ...], *, reduced: bool
) -> Again:
    known = dict(zip(classes, values.tolist(), strict=True))
    best = max(known, key=lambda label: known[label])
    before = {"predicted": row["predicted"], "source": row["source"], "target": row["target"]}
    differences = [
        abs(known[label] - float(row[f"p_{column}"]))
        for column, label in before.items()
        if not pd.isna(row[f"p_{column}"]) and label in known
    ]
    target = "" if pd.isna(row["target"]) else f" to {row['target']}"
    return Again(
        row=f"{row['attack']} on {row['victim']}, {row['image_id']}{target}",
        flipped=best != row["predicted"],
        margin=known[best] - known[row["predicted"]],
        difference=max(differences, default=0.0),
        reduced=reduced,
    )


def _judge(again: list[Again], rows: pd.DataFrame, *, same_device: bool) -> Verdict:
    flips = [one for one in again if one.flipped]
    wrong = [one for one in flips if one.is_wrong]
    worst = max(again, key=lambda one: one.difference)
    moved = [one for one in again if one.is_moved]
    finding = (
        f"{plural(len(again), 'row')} of {plural(rows['attack'].nunique(), 'attack')} and "
        f"{plural(rows['victim'].nunique(), 'victim')}: {plural(len(flips), 'prediction')} flipped"
        f", {len(wrong)} of them by more than rounding; largest difference of probabilities "
        f"{worst.difference:.1e}"
    )
    if not (wrong or moved):
        return Verdict("re-run", "ok", finding)
    finding += f"; {listed([one.row for one in wrong or [worst]], 3)}"
    if wrong or same_device:
        return Verdict("re-run", "fail", finding)
    return Verdict("re-run", "warn", f"{finding}; scored on another type of device")
