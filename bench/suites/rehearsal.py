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
            note=f"{NOTE}; {card.note}" if card.note else NOTE,
        )

    def count(self, set_name: SetName) -> int:
        """All of Set-B, or its validation images as Set-C."""
        return self.source.count("B") if set_name != "C" else sum(1 for _ in self._held_out())

    def rows(self, set_name: SetName, workers: int, start: int = 0) -> Images:
        """Yield each image of a set from `start` on."""
        if set_name == "C":
            for row, pixels in islice(self._held_out(workers), start, None):
                yield replace(row, set="C", split=IN, partition="evaluation"), pixels
            return
        for row, pixels in self.source.rows("B", workers, start):
            yield replace(row, set=set_name), pixels

    def _held_out(self, workers: int = 1) -> Images:
        pairs = self.source.rows("B", workers)
        return ((row, pixels) for row, pixels in pairs if row.partition == VALIDATION)
