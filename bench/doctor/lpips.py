"""LPIPS: are its weights whole, does it give its known value, and does torchvision's file agree?"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import torch

from bench.metrics.lpips import GOLDEN, Lpips, shipped_weights
from bench.types import CamobenchError
from bench.verdicts import Verdict

TORCHVISION = "alexnet-owt-7be5be79.pth"


def check_lpips() -> Iterator[Verdict]:
    """Open the metric; where torch's cache has torchvision's AlexNet, compare its tensors."""
    try:
        Lpips(torch.device("cpu"))
    except CamobenchError as error:
        reason, _, remedy = str(error).rpartition(": ")
        yield Verdict(check="lpips", verdict="fail", finding=reason, remedy=remedy)
        return
    finding = f"weights as shipped; the golden pair gives {GOLDEN}"
    yield Verdict(check="lpips", verdict="ok", finding=finding)
    path = Path(torch.hub.get_dir()) / "checkpoints" / TORCHVISION
    if path.is_file():
        other = _other_tensors(path)
        yield Verdict(
            check="lpips, torchvision's file",
            verdict="fail" if other else "ok",
            finding=f"{path} {f'differs in {other}' if other else 'agrees, tensor by tensor'}",
            remedy="remove it: it is not torchvision's" if other else "",
        )


def _other_tensors(path: Path) -> str:
    """Which of the shipped convolutions a file of torchvision's lacks or has otherwise."""
    try:
        theirs = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError):
        return "every tensor: it is damaged"
    ours = {name: value for name, value in shipped_weights().items() if "features" in name}
    return ", ".join(
        name
        for name, value in ours.items()
        if name not in theirs or not torch.equal(theirs[name], value)
    )
