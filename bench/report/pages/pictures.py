"""The paper's Figures 3 and 4 from the kept samples, as data URIs.

Figure 3 sets originals over their anonymised versions; Figure 4 sends one image to every target and
shows each difference, clamped to one standard deviation about its mean and stretched. We stretch
the signed difference, so mid-grey is the mean change; the paper calls its own an l2 difference.
"""

import base64
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from bench.records.run import RunData
from bench.records.samples import Sample
from bench.report.pages.environment import data_uri
from bench.store import replacing

Pixels = NDArray[np.uint8]
FIGURE_TILE_PX, FIGURE_GAP_PX = 256, 8


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An original (`before`) and what became of it, all as data URIs."""

    source: str
    target: str
    split: str
    before: str
    after: str
    difference: str


def stretch(original: Pixels, anonymised: Pixels) -> Pixels:
    """Signed difference, clamped to mean ± one standard deviation, stretched to 0..255.

    Raises:
        ValueError: If the shapes differ.
    """
    if original.shape != anonymised.shape:
        raise ValueError(
            f"expected images of one shape, got {original.shape} and {anonymised.shape}"
        )
    difference = anonymised.astype(np.float64) - original.astype(np.float64)
    mean, std = difference.mean(), difference.std()
    if std == 0:
        return np.full(original.shape, 128, dtype=np.uint8)
    clamped = np.clip((difference - mean) / std, -1, 1)
    return np.asarray(np.rint((clamped + 1) * 127.5), dtype=np.uint8)


def originals_and_anonymised(run: RunData, attack: str, count: int = 6) -> list[Picture]:
    """Figure 3: up to `count` images of all splits, one a camera where there are enough."""
    samples = [s for s in run.samples if s.attack == attack and _targets(s)]
    samples.sort(key=lambda sample: (sample.split, sample.source, sample.image_id))
    firsts = list({sample.source: sample for sample in reversed(samples)}.values())[::-1]
    turns: Counter[str] = Counter()
    queue = []  # splits in turn, in each a camera after the other
    for place, sample in enumerate([*firsts, *(one for one in samples if one not in firsts)]):
        queue.append((turns[sample.split], place, sample))
        turns[sample.split] += 1
    chosen = sorted((sample for *_, sample in sorted(queue)[:count]), key=samples.index)
    return [
        _picture(sample, _targets(sample)[place % len(_targets(sample))])
        for place, sample in enumerate(chosen)
    ]


def one_to_every_target(run: RunData, attack: str) -> list[Picture]:
    """Figure 4: a real photograph where there is one, else one in distribution."""
    samples = [s for s in run.samples if s.attack == attack and _targets(s)]
    if not samples:
        return []
    rank = {"out": 0, "in": 1, "real": 2}
    best = max(samples, key=lambda sample: (rank[sample.split], len(_targets(sample))))
    return [_picture(best, target) for target in _targets(best)]


def save_figure3(run: RunData, attack: str, path: Path) -> None:
    """Save Figure 3 as one PNG: originals above, the same anonymised below, enlarged if small.

    Raises:
        ValueError: If the run kept no sample of that attack.
    """
    pictures = originals_and_anonymised(run, attack)
    if not pictures:
        raise ValueError(f"{run.directory} holds no sample of {attack}")
    rows = [[_decode(p.before) for p in pictures], [_decode(p.after) for p in pictures]]
    side = max(pixels.shape[1] for pixels in rows[0])
    scale = max(1, FIGURE_TILE_PX // side)
    gap = max(1, FIGURE_GAP_PX // scale)
    strips = []
    for row in rows:
        tiles = [
            np.pad(pixels, ((0, gap), (0, gap), (0, 0)), constant_values=255) for pixels in row
        ]
        strips.append(np.concatenate(tiles, axis=1))
    sheet = np.concatenate(strips)[:-gap, :-gap].repeat(scale, axis=0).repeat(scale, axis=1)
    with replacing(path) as target:
        Image.fromarray(sheet).save(target, "PNG", optimize=True)


def _targets(sample: Sample) -> list[str]:
    return sorted(target for target in sample.anonymised if target != sample.source)


def _picture(sample: Sample, target: str) -> Picture:
    path = sample.anonymised[target]
    buffer = io.BytesIO()
    Image.fromarray(stretch(_read(sample.original), _read(path))).save(buffer, "PNG")
    return Picture(
        source=sample.source,
        target=target,
        split=sample.split,
        before=data_uri(sample.original.read_bytes(), "image/png"),
        after=data_uri(path.read_bytes(), "image/png"),
        difference=data_uri(buffer.getvalue(), "image/png"),
    )


def _decode(uri: str) -> Pixels:
    with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as image:
        return np.array(image.convert("RGB"))


def _read(path: Path) -> Pixels:
    try:
        with Image.open(path) as image:
            pixels: Any = np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise ValueError(f"{path} is not a readable PNG ({error}); run again") from error
    return np.asarray(pixels, dtype=np.uint8)
