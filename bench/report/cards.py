"""What every victim is worth before anyone attacks it, what it is and what it costs.

Clean accuracy and calibration are recomputed from the rows of the identity control; size, cost and
training are what the runner wrote beside them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bench.metrics.clean import BINS, Share
from bench.metrics.success import CLEAN_CONTROL
from bench.records.networks import Network, Training, load_networks
from bench.records.participants import VictimRecord
from bench.records.run import RunData, once
from bench.report.statistics import Clean, bias_of, clean_of
from bench.report.tables.notes import FAILED, clean_notes
from bench.report.tables.published import CLEAN_MINIMUM_PERCENT
from bench.report.tables.table import NA, Shown, Table, between, number, signed, table_of
from bench.types import IN, OUT, REAL, SPLITS

UNKNOWN, UNSCORED = "not recorded", "not scored"


@dataclass(frozen=True, kw_only=True)
class Card:
    """One victim.

    Attributes:
        clean: `None` where the identity control was not scored on it.
        bias: By split whose sources are none of its classes, what share of the untouched images
            each class gets, in per cent.
    """

    victim: VictimRecord
    clean: Clean | None
    network: Network | None
    bias: dict[str, dict[str, float]]

    @property
    def training(self) -> Training | None:
        """Of its network, where that was recorded."""
        return self.network.training if self.network else None

    @property
    def no_training(self) -> str:
        """Why there is nothing to say of a training."""
        return "nothing to learn" if self.network and not self.training else UNKNOWN

    @cached_property
    def record(self) -> dict[str, Any]:
        """Its row of `victims.csv`: every figure, `None` where there is none."""
        victim, clean, network, made = self.victim, self.clean, self.network, self.training
        overall = clean.overall if clean else None
        accuracy = 100 * overall.accuracy if overall else None
        minimum = CLEAN_MINIMUM_PERCENT.get(victim.family)
        record: dict[str, Any] = {
            "victim": victim.name,
            "victim_key": victim.key,
            "family": victim.family,
            "backbone": victim.backbone,
            "images": overall.images if overall else 0,
            "accuracy_percent": accuracy,
            "accuracy_low_percent": overall and 100 * overall.low,
            "accuracy_high_percent": overall and 100 * overall.high,
        }
        for what in ("camera", "device"):
            worst = min(_shares(clean, what), key=lambda one: one.accuracy, default=None)
            record[f"lowest_{what}_percent"] = worst and 100 * worst.accuracy
            record[f"lowest_{what}"] = worst and worst.name
        record["ece_percent"] = clean and clean.ece_percent
        for field in ("image_px", "parameters", "frontend_parameters"):
            record[field] = getattr(network, field, None)
        for front in ("", "frontend_"):
            flops = getattr(network, f"{front}flops_per_image", None)
            record[f"{front}gflop_per_image"] = None if flops is None else flops / 1e9
        for split, named in self.bias.items():
            record |= {f"named_{split}_{name}_percent": one for name, one in named.items()}
        difference = None if accuracy is None or minimum is None else accuracy - minimum
        return record | {
            "validation_accuracy_percent": made and made.validation_accuracy_percent,
            "training_seconds": made and made.seconds,
            "weights_sha256": made and made.weights_sha256,
            "published_minimum_percent": minimum,
            "difference_percent": difference,
        }


@once
def build_cards(run: RunData) -> tuple[Card, ...]:
    """A card for every victim of the run, in its order.

    Raises:
        ValueError: If the identity control was not scored, or `victims.json` does not fit.
    """
    networks, clean = load_networks(run), clean_of(run)
    said = {split: bias_of(run, split).T for split in run.splits if split != IN}
    return tuple(
        Card(
            victim=one,
            clean=clean.get(one.name),
            network=networks.get(one.name),
            bias={s: dict(of[one.name].dropna()) for s, of in said.items() if one.name in of},
        )
        for one in run.victims
    )


def _figure(name: str, digits: int = 1) -> Callable[[Card], str]:
    return lambda card: number(card.record[name], digits)


def _accuracy_interval(card: Card) -> str:
    return between(*(card.record[f"accuracy_{end}_percent"] for end in ("low", "high")))


def _shares(clean: Clean | None, what: str) -> tuple[Share, ...]:
    """By camera model or device; nothing where it was not scored."""
    return () if clean is None else clean.models if what == "camera" else clean.devices


def _lowest(what: str) -> Callable[[Card], str]:
    """The lowest accuracy, with the name of the group where groups differ."""

    def shown(card: Card) -> str:
        alike = len({one.accuracy for one in _shares(card.clean, what)}) < 2
        named = "" if alike else f" ({card.record[f'lowest_{what}']})"
        return number(card.record[f"lowest_{what}_percent"]) + named

    return shown


def _with_front_end(name: str, unit: float = 1.0) -> Callable[[Card], str]:
    """What a network has or takes; behind a plus, what a shared front-end does."""

    def shown(card: Card) -> str:
        own, front = card.record[name], card.record[f"frontend_{name}"]
        plus = f" + {front / unit:.3g}" if front else ""
        return NA if own is None else f"{own / unit:.3g}{plus}"

    return shown


_millions, _gflop = _with_front_end("parameters", 1e6), _with_front_end("gflop_per_image")
_COLUMNS: Shown[Card] = (
    ("Victim", lambda card: card.victim.name),
    ("Family", lambda card: card.victim.family),
    ("Backbone", lambda card: card.victim.backbone),
    (("Set-C", "Images"), lambda card: str(card.record["images"]) if card.clean else NA),
    (("Set-C", "Accuracy (%)"), _figure("accuracy_percent")),
    (("Set-C", "95 %"), _accuracy_interval),
    (("Set-C", "Lowest camera (%)"), _lowest("camera")),
    (("Set-C", "Lowest device (%)"), _lowest("device")),
    (("Set-C", "ECE (%)"), _figure("ece_percent")),
    (("Most named (%)", OUT), lambda card: most_named(card, OUT)),
    (("Most named (%)", REAL), lambda card: most_named(card, REAL)),
    (("Network", "Parameters (M)"), _millions),
    (("Network", "GFLOP an image"), _gflop),
    (("Training", "Validation (%)"), _figure("validation_accuracy_percent")),
    (("Training", "Seconds"), _figure("training_seconds", 0)),
    (("Paper", "Minimum (%)"), _figure("published_minimum_percent")),
    (("Paper", "Difference"), lambda card: signed(card.record["difference_percent"])),
)


def victims_table(run: RunData) -> Table:
    """One row a victim: clean accuracy, calibration, size, cost, training, the paper's minimum."""
    cards = build_cards(run)
    title = f"Victims on untouched images of Set-C, {run.suite}"
    notes, records = (*_notes(cards), *clean_notes(run)), (card.record for card in cards)
    columns = [one for one in _COLUMNS if one[0][1] != REAL or REAL in run.splits]
    return table_of(title, columns, cards, notes, records, kind="victim")


def clean_accuracy_table(run: RunData) -> Table:
    """Accuracy of every victim on the untouched in-distribution images of Set-C."""

    def accuracy(card: Card) -> str:
        failed = card.clean is None and (CLEAN_CONTROL, card.victim.name) in run.failed
        return FAILED if failed else number(card.record["accuracy_percent"])

    columns: Shown[Card] = (
        *_COLUMNS[:2],
        ("Images", lambda card: str(card.record["images"])),
        ("Accuracy (%)", accuracy),
        ("Lowest recall of a camera (%)", _lowest("camera")),
    )
    cards, kept = build_cards(run), ("victim", "family", "backbone", "images", "accuracy_percent")
    records = (
        {name: card.record[name] for name in kept}
        | {
            f"recall_{one.name}_percent": 100 * one.accuracy
            for one in _shares(card.clean, "camera")
        }
        for card in cards
    )
    title = f"Clean accuracy on in-distribution images of Set-C, {run.suite}"
    return table_of(title, columns, cards, clean_notes(run), records, kind="victim")


def card_facts(card: Card) -> tuple[tuple[str, str], ...]:
    """What a card says beside its charts: name and value."""
    record, network, weights = card.record, card.network, card.record["weights_sha256"]
    provenance = (card.training and card.training.provenance) or {}
    commit, changed = provenance.get("commit"), " + changes" if provenance.get("dirty") else ""

    def said(name: str, unit: str, otherwise: str, shown: Callable[..., str] = number) -> str:
        return otherwise if record[name] is None else shown(record[name]) + unit

    return (
        ("Clean accuracy", said("accuracy_percent", f" % ({_accuracy_interval(card)})", UNSCORED)),
        ("Paper's minimum", said("published_minimum_percent", " %", "none")),
        ("Difference", said("difference_percent", " points", "none", signed)),
        (
            "Calibration error",
            said("ece_percent", " %", "no probabilities" if card.clean else UNSCORED),
        ),
        *((f"Most named, {SPLITS[split]}", f"{most_named(card, split)} %") for split in card.bias),
        ("Parameters", f"{_millions(card)} million" if network else UNKNOWN),
        (
            f"Image of {network.image_px} px" if network else "One image",
            UNKNOWN if _gflop(card) == NA else f"{_gflop(card)} GFLOP",
        ),
        ("Validation", said("validation_accuracy_percent", " %", UNKNOWN)),
        ("Training", said("training_seconds", " s", card.no_training, lambda s: number(s, 0))),
        ("Weights", weights[:12] if weights else card.no_training),
        ("Code", f"{commit[:12]}{changed}" if commit else UNKNOWN),
    )


def most_named(card: Card, split: str) -> str:
    """The class that most untouched images of a split get, and what share of them."""
    shares = card.bias.get(split)
    if not shares:
        return NA
    name = max(shares, key=lambda one: shares[one])
    return f"{number(shares[name])} ({name})"


def _notes(cards: tuple[Card, ...]) -> Iterator[str]:
    yield (
        "95 %: Wilson interval for as many units as the variance over draws of whole scenes is "
        "worth. Lowest camera, lowest device: the camera model and the device least recognised."
    )
    yield "Most named: the class that most untouched images of other cameras get, and what share."
    yield (
        f"ECE: expected calibration error of the predicted label's probability, {BINS} bins of "
        "equal width. Of few images it is too high: a calibrated victim of 83 to 97 % confidence "
        "has 10 to 2 % on 72 images, 3 to 1 % on 1000."
    )
    if sides := sorted({card.network.image_px for card in cards if card.network}):
        yield (
            "Operations: convolutions and matrix products for one image of "
            f"{', '.join(map(str, sides))} pixels a side, a multiply-add is two. Behind a plus: "
            "the front-end, which victims share."
        )
    if any(card.training for card in cards):
        yield "Validation: accuracy on images of Set-A."
    if unknown := [card.victim.name for card in cards if not card.network]:
        yield f"Not recorded: size, cost and training of {', '.join(unknown)}."
    yield (
        "Paper: the lowest over the family's architectures, on the Dresden images; the difference "
        "is in points."
    )
