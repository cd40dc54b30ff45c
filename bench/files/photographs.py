"""Single files of any size: anonymise them, attribute them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from bench.checks import PATCH_PX
from bench.contract import Attack
from bench.data import ImageError, encode_png, read_rgb
from bench.files.appearance import appearance
from bench.files.tiles import anonymise_tiled, tiled_logits
from bench.jobs.networks import Networks
from bench.plan.request import Request, open_session
from bench.store import Store
from bench.store.outputs import Additions
from bench.types import SILENT, Json, Progress, WrongUsageError, tracked

NAME_BYTES = 255
"""What common file systems take for a name."""


def anonymise_files(
    paths: Sequence[Path],
    request: Request,
    store: Store,
    attack_name: str,
    target: str | None,
    out: Path,
    progress: Progress = SILENT,
) -> Iterator[Path]:
    """Anonymise photographs into PNG files; yields each as it is written.

    All photographs are read once before the first is worked on, so that bad ones stop nothing
    half-way. No file is replaced: `Additions` numbers names, and finds what it made before.

    Raises:
        WrongUsageError: If the target is unknown, missing or not wanted.
        ImageError: If photographs cannot be used; names all of them.
    """
    session = open_session(replace(request, attacks=(attack_name,)), store)
    networks = Networks(session.graph, session.shelf, torch.device(request.device))
    attack = networks.attack(attack_name)
    position = _target_position(attack, target)
    ending = f"__{target}.png" if target else ".png"
    _require_usable(paths, ending)
    additions = Additions(out)
    for path in tracked(paths, f"{attack_name} on photographs", progress):
        images = _read(path).to(networks.device)
        targets = None if position is None else torch.tensor([position], device=networks.device)
        with torch.no_grad():
            pixels = anonymise_tiled(attack, images, targets)[0].cpu().numpy()
        yield additions.add(path.stem, ending, encode_png(pixels, **appearance(path)))


def attribute_files(paths: Sequence[Path], request: Request, store: Store) -> list[dict[str, Json]]:
    """One row a photograph and victim: the predicted camera model and its probability.

    Of a large photograph the logits are averaged over tiles; see `tiled_logits`.

    Raises:
        ImageError: As `anonymise_files`.
    """
    session = open_session(request, store)
    networks = Networks(session.graph, session.shelf, torch.device(request.device))
    victims = {name: networks.victim(name) for name in request.victims}
    _require_usable(paths)
    rows: list[dict[str, Json]] = []
    for path in paths:
        images = _read(path).to(networks.device)
        for name, victim in victims.items():
            with torch.no_grad():
                probabilities = tiled_logits(victim, images).softmax(1)[0]
            best = int(probabilities.argmax())
            rows.append(
                {
                    "image": str(path),
                    "victim": name,
                    "predicted": victim.classes[best],
                    "probability": round(float(probabilities[best]), 4),
                }
            )
    return rows


def _require_usable(paths: Sequence[Path], ending: str = "") -> None:
    bad = []
    for path in paths:
        try:
            _read(path)
            if len(os.fsencode(f"{path.stem}{ending}")) > NAME_BYTES:
                raise ImageError(f"{path}: its name and {ending} are too long for one; rename it")
        except ImageError as error:
            bad.append(str(error))
    if bad:
        raise ImageError("\n".join(bad))


def _read(path: Path) -> torch.Tensor:
    pixels = read_rgb(path)
    height, width = pixels.shape[1:]
    if min(height, width) < PATCH_PX:
        raise ImageError(
            f"{path}: {width} x {height} pixels is smaller than a patch of {PATCH_PX} x "
            f"{PATCH_PX}; use a larger photograph"
        )
    return torch.from_numpy(pixels)[None]


def _target_position(attack: Attack, target: str | None) -> int | None:
    name = attack.spec.name
    if not attack.spec.targeted:
        if target is not None:
            raise WrongUsageError(f"{name} is untargeted: leave --target out")
        return None
    if target not in attack.classes:
        known = ", ".join(attack.classes)
        given = f", not {target!r}" if target else ""
        raise WrongUsageError(f"{name} is targeted: give --target, one of {known}{given}")
    return attack.classes.index(target)
