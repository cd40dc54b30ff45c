"""Outputs that are not what they seem: pictures in another convention, probabilities for logits.

Pure functions of what was handed in and what came back. What they find is certain enough to be
said, not to be refused: `check` fails it, and where it is scored all the same, notes and entry
say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

LOOKED_AT = 8
"""Images that are enough to tell."""
FLAT = 2.0
"""Grey levels of standard deviation below which a picture is of one colour."""
BURNT = 0.25
"""Share of values that became black or white."""
CLOSER, MUCH_CLOSER, SAME, EQUAL = 0.25, 0.1, 0.03, 0.01
"""Squared error to the original in another convention, over that to the original. Resampling may
move a picture by three quarters of a pixel without coming `MUCH_CLOSER` to one moved by a pixel,
gamma does not come to the `SAME` as [-1, 1], and neither it nor fog to the `EQUAL` of half the
range. What is in [-1, 1] and has 27 dB of noise is at the limit: 0.02 to 0.04."""
LEAST_ERROR = 4.0
"""Mean squared grey levels below which conventions cannot be told apart."""
SUM_TOLERANCE = 2e-2
"""Of probabilities: in bf16 they sum to one but for a hundredth."""
MOVED_VALUES, MOVED_LEVELS = 0.02, 2
"""Share of the values of an image that are other ones when it is made by itself, and by how much.
Other kernels for other batch sizes move single values, and those by one grey level."""
MOVED_PROBABILITY = 0.05


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """Something odd.

    Attributes:
        kind: In a word: "constant", "clipped", "channels", "flipped", "shifted", "range",
            "probabilities", "log-probabilities", "company".
        finding: For people.
    """

    kind: str
    finding: str


def suspect_images(originals: Tensor, anonymised: Tensor) -> list[Suspicion]:
    """Whether half of the images are of one colour, or originals in another convention.

    Args:
        originals: (N, 3, H, W) uint8.
        anonymised: (N, 3, H, W) uint8.
    """
    before, after = originals.float(), anonymised.float()
    dull = _contrast(after) < FLAT
    if _most(dull & (_contrast(before) > 2 * FLAT)):
        return [Suspicion(kind="constant", finding="the images are of one colour")]
    apart = _error(after, before)
    found = [
        Suspicion(kind=kind, finding=finding)
        for kind, finding, other, limit in _conventions(before)
        if _most((apart > LEAST_ERROR) & (_error(after, other) < limit * apart))
    ]
    if not found and _most(_shifted(before, after)):
        found = [Suspicion(kind="shifted", finding="the picture is shifted by whole pixels")]
    burnt = ((anonymised == 0) | (anonymised == 255)) & (originals > 1) & (originals < 254)
    if not found and _most(burnt.float().mean((1, 2, 3)) > BURNT):
        what = "much of the picture is black or white that was not: values outside [0, 1]?"
        found = [Suspicion(kind="clipped", finding=what)]
    return found


def suspect_logits(logits: Tensor) -> list[Suspicion]:
    """Whether (N, C) logits are probabilities, or logarithms of them."""
    values = logits.double()
    for whole, unit in ((1, ""), (100, " in per cent")):
        if (values >= 0).all() and _is_one(values.sum(1) / whole):
            what = f"it returns probabilities{unit}, not logits: they go through a softmax again"
            return [Suspicion(kind="probabilities", finding=what)]
    if (values <= 0).all() and _is_one(values.exp().sum(1)):
        what = "it returns logarithms of probabilities, not logits: labels and probabilities hold"
        return [Suspicion(kind="log-probabilities", finding=what)]
    return []


def suspect_company(together: Tensor, alone: Tensor) -> list[Suspicion]:
    """Whether an image or its logits are others when it comes alone.

    Args:
        together: (1, 3, H, W) uint8, or (1, C) logits, from a batch.
        alone: Of the same image by itself.
    """
    if together.dtype == torch.uint8:
        levels = (together.int() - alone.int()).abs()
        share = float((levels >= MOVED_LEVELS).float().mean())
        moved, what = share > MOVED_VALUES, f"{100 * share:.0f} % of its values"
    else:
        change = float((together.softmax(1) - alone.softmax(1)).abs().max())
        moved, what = change > MOVED_PROBABILITY, f"a probability by {change:.2f}"
    if not moved:
        return []
    finding = (
        f"by itself, an image gives something else ({what}): batch normalisation in training mode, "
        "or random numbers? Its rows change with --batch"
    )
    return [Suspicion(kind="company", finding=finding)]


def _conventions(images: Tensor) -> Iterator[tuple[str, str, Tensor, float]]:
    """Kind, finding, what the images would be, and how close to that they must have come."""
    for order in ((2, 1, 0), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1)):
        name = "".join("RGB"[place] for place in order)
        finding = f"channels come as {name}, not RGB"
        yield "channels", finding, images[:, list(order)], CLOSER
    last = images.permute(0, 2, 3, 1)
    yield "channels", "channels come last: (N, H, W, 3)", last.reshape(images.shape), CLOSER
    first = images.reshape(last.shape).permute(0, 3, 1, 2)
    yield "channels", "pixels are read as (N, H, W, 3)", first, CLOSER
    yield "flipped", "the picture is flipped left to right", images.flip(3), CLOSER
    yield "flipped", "the picture is upside down", images.flip(2), CLOSER
    yield "flipped", "the picture is turned by 180 degrees", images.flip(2, 3), CLOSER
    if images.shape[2] == images.shape[3]:
        yield "flipped", "rows and columns are swapped", images.transpose(2, 3), CLOSER
        yield "flipped", "the picture is turned to the left", images.rot90(1, (2, 3)), CLOSER
        yield "flipped", "the picture is turned to the right", images.rot90(-1, (2, 3)), CLOSER
    signed = (2 * images - 255).clamp(0, 255)
    yield "range", "values are in [-1, 1], not in [0, 1]", signed, SAME
    yield "range", "values are as if the images were in [-1, 1]", (images + 255) / 2, EQUAL
    yield "range", "the picture is a negative", 255 - images, SAME


def _shifted(before: Tensor, after: Tensor) -> Tensor:
    """(N,) whether each is the original moved by whole pixels, by phase correlation."""
    one, other = (torch.fft.rfft2(images.mean(1)) for images in (before, after))
    cross = other * one.conj()
    height, width = before.shape[2:]
    peaks = torch.fft.irfft2(cross / cross.abs().clamp(min=1e-6), s=(height, width))
    found = []
    for number, place in enumerate(peaks.flatten(1).argmax(1).tolist()):
        down, right = (
            (at + size // 2) % size - size // 2
            for at, size in ((place // width, height), (place % width, width))
        )
        rows = slice(max(down, 0), height + min(down, 0))  # what is left of the frame
        columns = slice(max(right, 0), width + min(right, 0))
        there, same, moved = (
            image[:, rows, columns]
            for image in (after[number], before[number], before[number].roll((down, right), (1, 2)))
        )
        apart = (there - same).square().mean()
        limit = CLOSER if max(abs(down), abs(right)) > 1 else MUCH_CLOSER
        found.append(apart > LEAST_ERROR and (there - moved).square().mean() < limit * apart)
    return torch.tensor(found)


def _is_one(sums: Tensor) -> bool:
    return bool(((sums - 1).abs() <= SUM_TOLERANCE).all())


def _contrast(images: Tensor) -> Tensor:
    return images.flatten(2).std(2).amax(1)


def _error(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).square().mean((1, 2, 3))


def _most(hits: Tensor) -> bool:
    return bool(hits.float().mean() >= 0.5)
