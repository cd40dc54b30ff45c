"""Reduced precision against fp32 on the networks that ship with the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from bench.recipes import get_recipe
from bench.runner.agreement import EXACT, REDUCED, Measured, score_twice
from bench.runner.graph import plan
from bench.runner.items import AttackSource
from bench.runner.networks import Networks, Shelf
from bench.store import Store
from bench.suites.base import prepare
from bench.suites.catalogue import load_suite
from bench.types import Silent

SUITE, RECIPE = "simcam-mini-v2", "mini"


def measure_agreement(
    attack: str, victims: tuple[str, ...], root: Path, device: torch.device, images: int | None
) -> Measured:
    """Score one attack on Set-C of the mini suite in both precisions.

    Args:
        attack: Whose network ships.
        victims: Likewise.
        root: Where the images are simulated.
        device: Where networks run.
        images: How many, spread over the whole set; `None` for all.
    """
    source = load_suite(SUITE)
    graph = plan(source.card, get_recipe(RECIPE), attacks=[attack], victims=victims)
    store = Store(root)
    suite = prepare(source, store, ("C",))
    exact, reduced = (
        Networks(graph, Shelf(store=store), device, precision=precision)
        for precision in (EXACT, REDUCED)
    )
    count = len(suite.manifest("C"))
    chosen = np.unique(np.linspace(0, count - 1, images or count).round().astype(int))
    return score_twice(
        suite,
        {attack: AttackSource(exact.attack(attack))},
        {name: exact.victim(name) for name in victims},
        {name: reduced.victim(name) for name in victims},
        chosen.tolist(),
        device,
        Silent(),
    )
