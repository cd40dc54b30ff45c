"""A suite on which an attack's recipe may be chosen: all three sets come from Set-B of another.

Nothing about an attack is tuned on Set-C or by asking a victim. `rehearsal:SUITE` takes their
places with what an attacker has: networks trained on Set-B stand in for the victims, and the
images that Set-B keeps for validation stand in for Set-C. Its numbers choose recipes; they are no
result, and the audit says so, since all sets share their devices.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cached_property
from itertools import islice

from bench.suites.base import Images, SuiteCard, SuiteSource
from bench.types import IN, SetName

PREFIX = "rehearsal:"
VALIDATION = "validation"
NOTE = "a rehearsal on Set-B alone: stand-ins take the victims' places; it chooses recipes"


class RehearsalSource:
    """Set-B of a suite as all three sets of another.

    Args:
        source: The suite.
    """

    def __init__(self, source: SuiteSource) -> None:
        self.source = source

    @cached_property
    def card(self) -> SuiteCard:
        """The suite's card, without the cameras that Set-B lacks."""
        card = self.source.card
        return replace(
            card,
            name=f"{card.name}-rehearsal",
            fingerprint=hashlib.sha256(f"rehearsal {card.fingerprint}".encode()).hexdigest(),
            others=(),
            real=(),
            more_models=(),
            note=f"{NOTE}; {card.note}" if card.note else NOTE,
        )

    def count(self, set_name: SetName) -> int:
        """All of Set-B, or its validation images as Set-C."""
        return self._held_out if set_name == "C" else self.source.count("B")

    def rows(self, set_name: SetName, workers: int, start: int = 0) -> Images:
        """Yield each image of a set from `start` on."""
        pairs = self.source.rows("B", workers, 0 if set_name == "C" else start)
        if set_name == "C":
            kept = (pair for pair in pairs if pair[0].partition == VALIDATION)
            for row, pixels in islice(kept, start, None):
                yield replace(row, set="C", split=IN, partition="evaluation"), pixels
        else:
            for row, pixels in pairs:
                yield replace(row, set=set_name), pixels

    @cached_property
    def _held_out(self) -> int:
        """How many validation images there are; all are made once to know."""
        return sum(row.partition == VALIDATION for row, _ in self.source.rows("B", 1))
