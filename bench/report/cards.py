"""What every victim is worth before anyone attacks it, what it is and what it costs.

Clean accuracy and calibration are recomputed from the rows of the identity control; size, cost and
training are what the runner wrote beside them.
"""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.metrics.clean import (
    BINS,
    Share,
    expected_calibration_error,
    reliability,
    share,
    shares_by,
)
from bench.metrics.success import CLEAN_CONTROL, clean_rows
from bench.records.networks import Network, load_networks
from bench.records.participants import VictimRecord
from bench.records.run import RunData, once
from bench.report.notes import FAILED, clean_notes
from bench.report.published import CLEAN_MINIMUM_PERCENT
from bench.report.statistics import clean_of
from bench.report.table import NA, Row, Table, make_table


@dataclass(frozen=True, kw_only=True)
class Clean:
    """A victim on the untouched in-distribution images of Set-C.

    Attributes:
        bins: What `reliability` returns; `None`, as below, for a victim without probabilities,
            and for one whose logits were probabilities.
        ece: Expected calibration error, a fraction.
    """

    overall: Share
    models: tuple[Share, ...]
    devices: tuple[Share, ...]
    bins: pd.DataFrame | None
    ece: float | None


@dataclass(frozen=True, kw_only=True)
class Card:
    """One victim; `clean` is `None` where the identity control was not scored on it."""

    victim: VictimRecord
    clean: Clean | None
    network: Network | None
    published_percent: float | None

    @property
    def difference_percent(self) -> float | None:
        """Clean accuracy minus the lowest that the paper reports of the family, in points."""
        if self.clean is None or self.published_percent is None:
            return None
        return 100 * self.clean.overall.accuracy - self.published_percent


@once
def build_cards(run: RunData) -> tuple[Card, ...]:
    """A card for every victim of the run, in its order.

    Raises:
        ValueError: If the identity control was not scored, or `victims.json` does not fit.
    """
    networks, odd = load_networks(run), run.suspicions
    rows = dict(iter(clean_rows(run.predictions).groupby("victim")))
    return tuple(
        Card(
            victim=victim,
            clean=_clean(rows[victim.name], (f"victim {victim.name}", "probabilities") in odd)
            if victim.name in rows
            else None,
            network=networks.get(victim.name),
            published_percent=CLEAN_MINIMUM_PERCENT.get(victim.family),
        )
        for victim in run.victims
    )


def _clean(rows: pd.DataFrame, twice_softmax: bool) -> Clean:
    bins = None
    if rows["p_predicted"].notna().any() and not twice_softmax:
        bins = reliability(rows["p_predicted"], rows["predicted"] == rows["source"])
    return Clean(
        overall=share("all", rows),
        models=shares_by(rows, "source"),
        devices=shares_by(rows, "device"),
        bins=bins,
        ece=None if bins is None else expected_calibration_error(bins),
    )


def lowest(shares: tuple[Share, ...]) -> Share:
    """The group of the lowest accuracy; the first by name where several share it."""
    return min(shares, key=lambda one: one.accuracy)


_COLUMNS = (
    *(("", name) for name in ("Victim", "Family", "Backbone")),
    *(("Set-C", name) for name in ("Images", "Accuracy (%)", "95 %")),
    *(("Set-C", name) for name in ("Lowest camera (%)", "Lowest device (%)", "ECE (%)")),
    *(("Network", name) for name in ("Parameters (M)", "GFLOP an image")),
    *(("Training", name) for name in ("Validation (%)", "Seconds")),
    *(("Paper", name) for name in ("Minimum (%)", "Difference")),
)


def victims_table(run: RunData) -> Table:
    """One row a victim: clean accuracy, calibration, size, cost, training, the paper's minimum."""
    cards = build_cards(run)
    return make_table(
        f"Victims on untouched in-distribution images of Set-C, {run.suite}",
        _COLUMNS,
        (Row(kind="victim", name=card.victim.marked, cells=_cells(card)) for card in cards),
        (*_notes(cards), *clean_notes(run)),
        map(_record, cards),
    )


def clean_accuracy_table(run: RunData) -> Table:
    """Accuracy of every victim on the untouched in-distribution images of Set-C."""
    rows, records = [], []
    figures: dict[Any, Any] = clean_of(run).to_dict("index")
    for victim in run.victims:
        record: dict[str, Any] = {
            "victim": victim.name,
            "family": victim.family,
            "backbone": victim.backbone,
            "images": 0,
            "accuracy_percent": None,
        }
        clean, worst = FAILED if (CLEAN_CONTROL, victim.name) in run.failed else NA, NA
        if victim.name in figures:
            found: dict[str, float] = figures[victim.name]
            record["images"] = int(found["n"])
            record["accuracy_percent"] = 100 * found["accuracy"]
            clean = f"{record['accuracy_percent']:.1f}"
            shares = {
                name.removeprefix("recall:"): 100 * share
                for name, share in found.items()
                if name.startswith("recall:") and not math.isnan(share)
            }
            record |= {f"recall_{name}_percent": share for name, share in shares.items()}
            least = min(shares, key=lambda name: shares[name])
            worst = f"{shares[least]:.1f}" + (f" ({least})" if shares[least] < 100 else "")
        cells = (victim.family, str(record["images"]), clean, worst)
        rows.append(Row(kind="victim", name=victim.marked, cells=cells))
        records.append(record)
    labels = ("Victim", "Family", "Images", "Accuracy (%)", "Lowest recall of a camera (%)")
    title = f"Clean accuracy on in-distribution images of Set-C, {run.suite}"
    return make_table(title, labels, rows, clean_notes(run), records)


def _cells(card: Card) -> tuple[str, ...]:
    clean: tuple[str, ...] = (NA,) * 6
    if card.clean is not None:
        found, overall = card.clean, card.clean.overall
        clean = (
            str(overall.images),
            f"{100 * overall.accuracy:.1f}",
            f"{100 * overall.low:.1f}–{100 * overall.high:.1f}",
            _lowest(found.models),
            _lowest(found.devices),
            NA if found.ece is None else f"{100 * found.ece:.1f}",
        )
    network, made = card.network, card.network.training if card.network else None
    accuracy = made.validation_accuracy_percent if made else None
    paper, difference = card.published_percent, card.difference_percent
    return (
        card.victim.family,
        card.victim.backbone,
        *clean,
        millions(network),
        gflop(network),
        NA if accuracy is None else f"{accuracy:.1f}",
        f"{made.seconds:.0f}" if made else NA,
        NA if paper is None else f"{paper:.1f}",
        NA if difference is None else f"{difference:+.1f}",
    )


def _lowest(shares: tuple[Share, ...]) -> str:
    worst = lowest(shares)
    alike = all(one.accuracy == worst.accuracy for one in shares)
    return f"{100 * worst.accuracy:.1f}" + ("" if alike else f" ({worst.name})")


def millions(network: Network | None) -> str:
    """Parameters in millions; a shared front-end's stand behind a plus."""
    if network is None:
        return NA
    more = f" + {network.frontend_parameters / 1e6:.3g}" if network.frontend_parameters else ""
    return f"{network.parameters / 1e6:.3g}{more}"


def gflop(network: Network | None) -> str:
    """Operations an image in units of 10^9; a front-end's stand behind a plus."""
    if network is None or network.flops_per_image is None:
        return NA
    front = network.frontend_flops_per_image
    more = f" + {front / 1e9:.3g}" if front else ""
    return f"{network.flops_per_image / 1e9:.3g}{more}"


def _notes(cards: tuple[Card, ...]) -> tuple[str, ...]:
    networks = [card.network for card in cards if card.network]
    sides = ", ".join(str(side) for side in sorted({network.image_px for network in networks}))
    trained = [network.training for network in networks if network.training]
    weights = " and ".join(sorted({made.validation_of for made in trained}))
    unknown = [card.victim.name for card in cards if not card.network]
    return (
        "95 %: Wilson interval, with whole photographs as units where a photograph gives several "
        "images. Lowest camera, lowest device: the camera model and the device least recognised.",
        f"ECE: expected calibration error of the predicted label's probability, {BINS} bins of "
        "equal width.",
        *(
            (
                f"Operations: convolutions and matrix products for one image of {sides} pixels a "
                "side, a multiply-add is two. Behind a plus: the front-end, which victims share.",
            )
            if networks
            else ()
        ),
        *((f"Validation: accuracy on images of Set-A, of {weights}.",) if trained else ()),
        *((f"Not recorded: size, cost and training of {', '.join(unknown)}.",) if unknown else ()),
        "Paper: the lowest over the family's architectures, on the Dresden images; the difference "
        "is in points.",
    )


def _record(card: Card) -> dict[str, Any]:
    record: dict[str, Any] = {
        "victim": card.victim.name,
        "victim_key": card.victim.key,
        "family": card.victim.family,
        "backbone": card.victim.backbone,
        **_clean_record(card.clean),
    }
    network, made = card.network, card.network.training if card.network else None
    for field in ("image_px", "parameters", "frontend_parameters"):
        record[field] = getattr(network, field) if network else None
    for field in ("flops_per_image", "frontend_flops_per_image"):
        flops = getattr(network, field) if network else None
        name = field.replace("flops", "gflop")
        record[name] = None if flops is None else flops / 1e9
    record["validation_accuracy_percent"] = made.validation_accuracy_percent if made else None
    record["training_seconds"] = made.seconds if made else None
    record["weights_sha256"] = made.weights_sha256 if made else None
    record["published_minimum_percent"] = card.published_percent
    record["difference_percent"] = card.difference_percent
    return record


def _clean_record(clean: Clean | None) -> dict[str, Any]:
    overall = clean.overall if clean else None
    record: dict[str, Any] = {"images": overall.images if overall else 0}
    for field in ("accuracy", "low", "high"):
        name = "accuracy_percent" if field == "accuracy" else f"accuracy_{field}_percent"
        record[name] = 100 * getattr(overall, field) if overall else None
    for what, shares in (("camera", clean and clean.models), ("device", clean and clean.devices)):
        worst = lowest(shares) if shares else None
        record[f"lowest_{what}_percent"] = 100 * worst.accuracy if worst else None
        record[f"lowest_{what}"] = worst.name if worst else None
    ece = clean.ece if clean else None
    record["ece_percent"] = None if ece is None else 100 * ece
    return record
