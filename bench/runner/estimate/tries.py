"""Times things of the same shape once, as long as there is time for it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Hashable

import numpy as np
from torch import nn


class Tries:
    """Times of things, each kind of shape once, while the budget lasts.

    Args:
        budget_s: For all of them together.
    """

    def __init__(self, budget_s: float) -> None:
        self._until = time.perf_counter() + budget_s
        self._known: dict[Hashable, float] = {}
        self._by_kind: dict[str, list[float]] = defaultdict(list)

    def seconds(self, kind: str, shape: Hashable, work: Callable[[], float]) -> float:
        """What `work` says, or the mean of its kind when time is over and one was tried."""
        if (kind, shape) in self._known:
            return self._known[kind, shape]
        tried = self._by_kind[kind]
        if tried and time.perf_counter() > self._until:
            return float(np.mean(tried))
        found = work()
        self._known[kind, shape] = found
        self._by_kind[kind].append(found)
        return found


def shape_of(network: nn.Module) -> Hashable:
    """Networks whose weights have the same names and shapes take the same time."""
    return tuple((name, tuple(value.shape)) for name, value in network.state_dict().items())
