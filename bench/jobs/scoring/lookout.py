"""Looks at the first images of a row and at each victim's first logits for what is suspicious."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from bench.metrics.suspicions import (
    LOOKED_AT,
    Suspicion,
    suspect_company,
    suspect_images,
    suspect_logits,
)


class Lookout:
    """What one shard of a row shows.

    Attributes:
        found: Suspicions by victim; those of the attack are of none, "".
    """

    def __init__(self) -> None:
        self.found: dict[str, list[Suspicion]] = {"": []}
        self._pairs: list[tuple[Tensor, Tensor]] = []

    def see_images(
        self, originals: Tensor, anonymised: Tensor, last_alone: Callable[[], Tensor]
    ) -> None:
        """Look at one batch of an attack, unless there were enough.

        Args:
            originals: (N, 3, H, W) uint8.
            anonymised: As them.
            last_alone: Anonymises the last of them by itself: the first may be the one that
                random numbers, seeded anew in every call, treat alike.
        """
        seen = sum(len(pair[0]) for pair in self._pairs)
        if seen >= LOOKED_AT:
            return
        if not seen and len(anonymised) > 1:
            self.found[""] += suspect_company(anonymised[-1:], last_alone())
        left = LOOKED_AT - seen
        self._pairs.append((originals[:left].cpu(), anonymised[:left].cpu()))

    def see_logits(
        self, victim: str, logits: Tensor, last_alone: Callable[[], Tensor | None]
    ) -> None:
        """Compare (N, C) logits of a victim's first batch with those of its last image alone."""
        if victim not in self.found and len(logits) > 1:
            alone = last_alone()
            moved = [] if alone is None else suspect_company(logits[-1:].float(), alone.float())
            self.found[victim] = moved

    def end(self, logits: Mapping[str, Sequence[Tensor]]) -> None:
        """Judge images and logits, batch by batch as they came; called once, after the last."""
        if self._pairs:
            originals, anonymised = map(torch.cat, zip(*self._pairs, strict=True))
            self.found[""] += suspect_images(originals, anonymised)
        for victim, parts in logits.items():
            seen = torch.cat([part.float().cpu() for part in parts])[:LOOKED_AT]
            self.found[victim] = [*suspect_logits(seen), *self.found.get(victim, [])]
