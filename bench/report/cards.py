"""What every victim is worth before anyone attacks it, what it is and what it costs.

Clean accuracy and calibration are recomputed from the rows of the identity control; size, cost and
training are what the runner wrote beside them.
"""

from dataclasses import dataclass
from typing import Any

from bench.metrics.clean import BINS, Share
from bench.metrics.success import CLEAN_CONTROL
from bench.records.networks import Network, load_networks
from bench.records.participants import VictimRecord
from bench.records.run import RunData, once
from bench.report.notes import FAILED, clean_notes
from bench.report.published import CLEAN_MINIMUM_PERCENT
from bench.report.statistics import Clean, clean_of
from bench.report.table import NA, Row, Table, between, make_table, number

UNKNOWN = "not recorded"


@dataclass(frozen=True, kw_only=True)
class Card:
    """One victim; `clean` is `None` where the identity control was not scored on it."""

    victim: VictimRecord
    clean: Clean | None
    network: Network | None

    @property
    def published_percent(self) -> float | None:
        """The lowest clean accuracy that the paper reports of the family."""
        return CLEAN_MINIMUM_PERCENT.get(self.victim.family)

    @property
    def difference_percent(self) -> float | None:
        """Clean accuracy minus the lowest that the paper reports of the family, in points."""
        if self.clean is None or self.published_percent is None:
            return None
        return 100 * self.clean.overall.accuracy - self.published_percent

    @property
    def no_training(self) -> str:
        """Why there is nothing to say of a training."""
        learns = self.network is None or self.network.training is not None
        return UNKNOWN if learns else "nothing to learn"


@once
def build_cards(run: RunData) -> tuple[Card, ...]:
    """A card for every victim of the run, in its order.

    Raises:
        ValueError: If the identity control was not scored, or `victims.json` does not fit.
    """
    networks, clean = load_networks(run), clean_of(run)
    return tuple(
        Card(victim=one, clean=clean.get(one.name), network=networks.get(one.name))
        for one in run.victims
    )


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
    for card in build_cards(run):
        victim, clean, models = card.victim, card.clean, card.clean.models if card.clean else ()
        record: dict[str, Any] = {
            "victim": victim.name,
            "family": victim.family,
            "backbone": victim.backbone,
            "images": clean.overall.images if clean else 0,
            "accuracy_percent": 100 * clean.overall.accuracy if clean else None,
        }
        accuracy = number(record["accuracy_percent"])
        if clean is None and (CLEAN_CONTROL, victim.name) in run.failed:
            accuracy = FAILED
        cells = (victim.family, str(record["images"]), accuracy, _lowest(models))
        rows.append(Row(kind="victim", name=victim.marked, cells=cells))
        recalls = {f"recall_{one.name}_percent": 100 * one.accuracy for one in models}
        records.append(record | recalls)
    labels = ("Victim", "Family", "Images", "Accuracy (%)", "Lowest recall of a camera (%)")
    title = f"Clean accuracy on in-distribution images of Set-C, {run.suite}"
    return make_table(title, labels, rows, clean_notes(run), records)


def _cells(card: Card) -> tuple[str, ...]:
    record, clean = _record(card), card.clean
    ends = (record["accuracy_low_percent"], record["accuracy_high_percent"])
    difference = card.difference_percent
    return (
        card.victim.family,
        card.victim.backbone,
        str(record["images"]) if clean else NA,
        number(record["accuracy_percent"]),
        between(ends if clean else None, scale=1),
        _lowest(clean.models if clean else ()),
        _lowest(clean.devices if clean else ()),
        number(record["ece_percent"]),
        _millions(card.network),
        _gflop(card.network),
        number(record["validation_accuracy_percent"]),
        number(record["training_seconds"], 0),
        number(card.published_percent),
        NA if difference is None else f"{difference:+.1f}",
    )


def card_facts(card: Card) -> tuple[tuple[str, str], ...]:
    """What a card says beside its charts: name and value."""
    clean, network = card.clean, card.network
    made = network.training if network else None
    accuracy = made.validation_accuracy_percent if made else None
    paper, difference = card.published_percent, card.difference_percent
    provenance = (made.provenance if made else None) or {}
    commit, cost = provenance.get("commit"), _gflop(network)
    changed = " + changes" if provenance.get("dirty") else ""
    overall = calibration = "not scored"
    if clean:
        ends = (clean.overall.low, clean.overall.high)
        overall = f"{number(100 * clean.overall.accuracy)} % ({between(ends)})"
        calibration = (
            f"{number(clean.ece_percent)} %" if clean.bins is not None else "no probabilities"
        )
    return (
        ("Clean accuracy", overall),
        ("Paper's minimum", "none" if paper is None else f"{paper:.1f} %"),
        ("Difference", "none" if difference is None else f"{difference:+.1f} points"),
        ("Calibration error", calibration),
        ("Parameters", f"{_millions(network)} million" if network else UNKNOWN),
        (
            f"Image of {network.image_px} px" if network else "One image",
            UNKNOWN if cost == NA else f"{cost} GFLOP",
        ),
        ("Validation", UNKNOWN if accuracy is None else f"{accuracy:.1f} %"),
        ("Training", f"{made.seconds:.0f} s" if made else card.no_training),
        ("Weights", made.weights_sha256[:12] if made else card.no_training),
        ("Code", f"{commit[:12]}{changed}" if commit else UNKNOWN),
    )


def _lowest(shares: tuple[Share, ...]) -> str:
    """The lowest accuracy, with the name of the group where groups differ."""
    if not shares:
        return NA
    worst = min(shares, key=lambda one: one.accuracy)
    alike = all(one.accuracy == worst.accuracy for one in shares)
    return number(100 * worst.accuracy) + ("" if alike else f" ({worst.name})")


def _millions(network: Network | None) -> str:
    """Parameters in millions; a shared front-end's stand behind a plus."""
    return NA if network is None else _plus(network.parameters, network.frontend_parameters, 1e6)


def _gflop(network: Network | None) -> str:
    """Operations an image in units of 10^9; a front-end's stand behind a plus."""
    if network is None or network.flops_per_image is None:
        return NA
    return _plus(network.flops_per_image, network.frontend_flops_per_image, 1e9)


def _plus(own: int, front: int | None, unit: float) -> str:
    return f"{own / unit:.3g}" + (f" + {front / unit:.3g}" if front else "")


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
    clean, network = card.clean, card.network
    made, overall = network.training if network else None, clean.overall if clean else None
    record: dict[str, Any] = {
        "victim": card.victim.name,
        "victim_key": card.victim.key,
        "family": card.victim.family,
        "backbone": card.victim.backbone,
        "images": overall.images if overall else 0,
        "accuracy_percent": 100 * overall.accuracy if overall else None,
        "accuracy_low_percent": 100 * overall.low if overall else None,
        "accuracy_high_percent": 100 * overall.high if overall else None,
    }
    for what, shares in (("camera", clean and clean.models), ("device", clean and clean.devices)):
        worst = min(shares, key=lambda one: one.accuracy) if shares else None
        record[f"lowest_{what}_percent"] = 100 * worst.accuracy if worst else None
        record[f"lowest_{what}"] = worst.name if worst else None
    record["ece_percent"] = clean.ece_percent if clean else None
    for field in ("image_px", "parameters", "frontend_parameters"):
        record[field] = getattr(network, field, None)
    for front in ("", "frontend_"):
        flops = getattr(network, f"{front}flops_per_image", None)
        record[f"{front}gflop_per_image"] = None if flops is None else flops / 1e9
    return record | {
        "validation_accuracy_percent": made.validation_accuracy_percent if made else None,
        "training_seconds": made.seconds if made else None,
        "weights_sha256": made.weights_sha256 if made else None,
        "published_minimum_percent": card.published_percent,
        "difference_percent": card.difference_percent,
    }
