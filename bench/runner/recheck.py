"""Runs a sample of a result's rows again, with the networks that its entries name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from bench.checks import to_unit
from bench.recipes import get_recipe
from bench.registry import UnknownNameError
from bench.report.inputs import RunData, load_run
from bench.runner.graph import Graph, plan
from bench.runner.matrix import KEY_DIGITS, cell_stem
from bench.runner.networks import Networks, Shelf
from bench.runner.precision import Precision
from bench.store import Store, read_json
from bench.suites.audit.finding import listed, plural
from bench.suites.base import Suite, SuiteCard, open_suite, prepare
from bench.suites.catalogue import SIMULATED, load_suite
from bench.types import CamobenchError, Progress, Silent
from bench.verdicts import Outcome, Verdict

MARGIN = 1e-4
"""Predictions whose two best probabilities are closer than this may flip, see DESIGN.md."""
LARGEST_DIFFERENCE = 1e-2
"""Above it a probability is another one: processors and batch sizes move it by some 1e-6."""
BATCH = 32


@dataclass(frozen=True, kw_only=True)
class Again:
    """What one row gives this time.

    Attributes:
        flipped: Another label is predicted.
        margin: How much likelier it is than the one that was predicted before; 0 for no flip.
        difference: Largest change of the row's probabilities.
    """

    row: str
    flipped: bool
    margin: float
    difference: float


def recheck(
    folder: Path,
    store: Store,
    *,
    rows: int = 64,
    seed: int = 0,
    device: str = "cpu",
    shipped: bool = True,
    progress: Progress | None = None,
) -> list[Verdict]:
    """Check the images against the suite, and re-run a random sample of rows.

    Args:
        folder: Of a run that `load_run` takes.
        store: Where networks and images are looked for; those that ship with the package count.
        rows: How many to re-run.
        seed: Of the sample.
        device: Where networks run.
        shipped: Use the networks that ship with the package.
        progress: Told how far it is.
    """
    run, progress = load_run(folder), progress or Silent()
    entries = {
        attack.name: read_json(folder / f"entry-{attack.name}.json") for attack in run.attacks
    }
    try:
        suite = _suite(run, store, progress)
    except (CamobenchError, ValueError) as error:
        return [Verdict(check="re-run", verdict="skip", finding=f"images are not at hand: {error}")]
    shelf, verdicts = Shelf(store=store, shipped=shipped), [_check_images(run, suite)]
    attacks: dict[str, Networks] = {}
    victims: dict[str, Networks] = {}
    reasons: dict[str, list[str]] = {}
    first = next(iter(entries.values()))
    wanted = [("attack", name, entry, entry["attack"]) for name, entry in entries.items()]
    wanted += [("victim", record["name"], first, record) for record in first["victims"]]
    for kind, name, entry, record in wanted:
        try:
            found = _networks(kind, name, entry, record, suite.card, shelf, torch.device(device))
        except (CamobenchError, UnknownNameError) as error:
            reasons.setdefault(str(error.args[0]), []).append(name)
        else:
            (attacks if kind == "attack" else victims)[name] = found
    for reason, names in reasons.items():
        finding = f"{listed(names)}: {reason}"
        verdicts.append(Verdict(check="networks", verdict="skip", finding=finding))
    at_hand = run.predictions["attack"].isin(list(attacks))
    chosen = run.predictions[at_hand & run.predictions["victim"].isin(list(victims))]
    if chosen.empty:
        none = "no row: the store and the package lack the networks that the entries name"
        return [*verdicts, Verdict(check="re-run", verdict="skip", finding=none)]
    chosen = chosen.sample(min(rows, len(chosen)), random_state=seed)
    progress.start("re-running rows", len(chosen))
    again = []
    for attack, part in chosen.groupby("attack", sort=True):
        again += _run_again(part, attacks[str(attack)], victims, suite, torch.device(device))
        progress.advance(len(part))
    progress.finish()
    scored_on = {str(entry["provenance"]["device"]).partition(":")[0] for entry in entries.values()}
    same_device = scored_on == {device.partition(":")[0]}
    return [*verdicts, _judge(again, chosen, same_device=same_device)]


def _suite(run: RunData, store: Store, progress: Progress) -> Suite:
    folder = store.data_folder(run.suite, run.fingerprint)
    if (folder / "suite.json").is_file():
        suite = open_suite(folder)
        if suite.has("C"):
            return suite
    if run.suite not in SIMULATED:
        raise CamobenchError(
            f"Set-C of {run.suite} ({run.fingerprint[:12]}) is not in the store; `camobench data "
            "prepare` makes it"
        )
    source = load_suite(run.suite)
    if source.card.fingerprint != run.fingerprint:
        raise CamobenchError(
            f"{run.suite} of this version has fingerprint {source.card.fingerprint[:12]}, the run "
            f"has {run.fingerprint[:12]}"
        )
    return prepare(source, store, ("C",), progress=progress)


def _check_images(run: RunData, suite: Suite) -> Verdict:
    names = ["image_id", "photo_id", "device", "source", "split"]
    manifest = suite.manifest("C").rename(columns={"model": "source"})[names].astype("object")
    scored = run.predictions[names].drop_duplicates().astype("object")
    known = pd.MultiIndex.from_frame(manifest)
    found = pd.MultiIndex.from_frame(scored)
    missing = sorted(set(known.difference(found).get_level_values(0)))
    surplus = sorted(set(found.difference(known).get_level_values(0)))
    problems = [
        f"{plural(len(images), 'image')} {what}: {listed(images, 3)}"
        for what, images in (("of Set-C missing", missing), ("that Set-C has otherwise", surplus))
        if images
    ]
    return Verdict(
        check="images of Set-C",
        verdict="fail" if problems else "ok",
        finding="; ".join(problems) or f"{len(manifest)} images, the suite's own",
    )


def _networks(
    kind: str,
    name: str,
    entry: dict[str, Any],
    record: dict[str, Any],
    card: SuiteCard,
    shelf: Shelf,
    device: torch.device,
) -> Networks:
    """Networks that hold this attack or victim, with the key and the weights of the entry.

    Raises:
        CamobenchError: If they are not at hand; says why.
        UnknownNameError: If nothing is registered under the name.
    """
    if record.get("challenge") is not None:
        raise CamobenchError(f"{kind} made elsewhere; `camobench score` takes its answer again")
    chosen = {"attacks": [name] if kind == "attack" else [], "victims": []}
    if kind == "victim":
        chosen["victims"] = [name]
    graph: Graph = plan(card, get_recipe(entry["recipe"]), seed=entry["seed"], **chosen)
    key = (graph.attacks if kind == "attack" else graph.victims)[name]
    if key[:KEY_DIGITS] != record["key"]:
        raise CamobenchError("today's code would make another network under this name")
    mixed = record.get("precision") == "bf16"
    precision = Precision(name="mixed" if mixed else "fp32")
    networks = Networks(graph, shelf, device, precision=precision)
    if kind == "attack":
        same = networks.attack_digest(name) == record["digest"]
    else:
        same = cell_stem(networks, name) == record["digest"]
    if not same:
        raise CamobenchError("the weights at hand are others than those that were scored")
    return networks


@torch.no_grad()
def _run_again(
    rows: pd.DataFrame,
    attacks: Networks,
    victims: dict[str, Networks],
    suite: Suite,
    device: torch.device,
) -> list[Again]:
    """Rows of one attack."""
    name = str(rows["attack"].iloc[0])
    attack, classes = attacks.attack(name), suite.card.classes
    place = pd.Series(range(len(suite.manifest("C"))), index=suite.manifest("C")["image_id"])
    found = []
    for start in range(0, len(rows), BATCH):
        part = rows.iloc[start : start + BATCH]
        indices = place.loc[part["image_id"]].to_numpy()
        originals = torch.from_numpy(np.array(suite.images("C")[indices])).to(device)
        targets = None
        if attack.spec.targeted:
            positions = [classes.index(target) for target in part["target"]]
            targets = torch.tensor(positions, device=device)
        images = to_unit(attack(originals, targets))
        for victim_name in part["victim"].unique():
            victim = victims[victim_name].victim(victim_name)
            mine = np.array(part["victim"] == victim_name)
            unit = images[torch.from_numpy(mine).to(device)]
            logits = victim.checked_logits(
                victim.logits(unit.contiguous(memory_format=torch.channels_last)), len(unit)
            )
            values = logits.float().softmax(1).cpu().numpy()
            found += [
                _compared(row, values[i], victim.classes)
                for i, (_, row) in enumerate(part[mine].iterrows())
            ]
    return found


def _compared(row: pd.Series[Any], values: np.ndarray, classes: tuple[str, ...]) -> Again:
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
        difference=max(differences),
    )


def _judge(again: list[Again], rows: pd.DataFrame, *, same_device: bool) -> Verdict:
    flips = [one for one in again if one.flipped]
    wrong = [one for one in flips if one.margin > MARGIN]
    worst = max(again, key=lambda one: one.difference)
    moved = [one for one in again if one.difference > LARGEST_DIFFERENCE]
    finding = (
        f"{plural(len(again), 'row')} of {plural(rows['attack'].nunique(), 'attack')} and "
        f"{plural(rows['victim'].nunique(), 'victim')}: {plural(len(flips), 'prediction')} flipped"
        f", {len(wrong)} of them by more than {MARGIN:g}; largest difference of probabilities "
        f"{worst.difference:.1e}"
    )
    if wrong or moved:
        finding += f"; {listed([one.row for one in wrong or [worst]], 3)}"
    outcome: Outcome = "ok"
    if moved and not wrong and not same_device:
        finding += "; scored on another type of device"
        outcome = "warn"
    elif wrong or moved:
        outcome = "fail"
    return Verdict(check="re-run", verdict=outcome, finding=finding)
