"""The paper's Figures 3 and 4 from the kept samples, as data URIs.

Figure 3 sets originals over their anonymised versions; Figure 4 sends one image to every target and
shows each difference, clamped to one standard deviation about its mean and stretched. We stretch
the signed difference, so mid-grey is the mean change; the paper calls its own an l2 difference.
"""

import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.records.run import RunData
from bench.records.samples import Sample
from bench.report.pages.environment import data_uri
from bench.store import replacing

Pixels = NDArray[np.uint8]
FIGURE_IMAGES, FIGURE_TILE_PX, FIGURE_GAP_PX = 6, 256, 8


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
    """Signed difference, clamped to mean ± one standard deviation, stretched to 0..255."""
    difference = anonymised.astype(np.float64) - original.astype(np.float64)
    mean, std = difference.mean(), difference.std()
    if std == 0:
        return np.full(original.shape, 128, dtype=np.uint8)
    clamped = np.clip((difference - mean) / std, -1, 1)
    return np.asarray(np.rint((clamped + 1) * 127.5), dtype=np.uint8)


def originals_and_anonymised(run: RunData, attack: str) -> list[Picture]:
    """Figure 3: some images of all splits, one a camera where there are enough."""
    return [_picture(sample, target) for sample, target in _figure3(run, attack)]


def one_to_every_target(run: RunData, attack: str) -> list[Picture]:
    """Figure 4: a real photograph where there is one, else one in distribution."""
    rank = {"out": 0, "in": 1, "real": 2}
    best = max(
        _sampled(run, attack),
        key=lambda sample: (rank[sample.split], len(_targets(sample))),
        default=None,
    )
    return [_picture(best, target) for target in _targets(best)] if best else []


def save_figure3(run: RunData, attack: str, path: Path) -> None:
    """Save Figure 3 as one PNG: originals above, the same anonymised below, enlarged if small."""
    chosen = _figure3(run, attack)
    pairs = [
        [Image.fromarray(_read(file)) for file in (sample.original, sample.anonymised[target])]
        for sample, target in chosen
    ]
    if not pairs:
        return
    side = max(original.width for original, _ in pairs)
    scale = max(1, FIGURE_TILE_PX // side)
    gap = max(1, FIGURE_GAP_PX // scale)
    step = side + gap
    sheet = Image.new("RGB", (len(pairs) * step - gap, 2 * step - gap), "white")
    for column, pair in enumerate(pairs):
        for row, image in enumerate(pair):
            sheet.paste(image, (column * step, row * step))
    sheet = sheet.resize((scale * sheet.width, scale * sheet.height), Image.Resampling.NEAREST)
    with replacing(path) as place:
        sheet.save(place, "PNG")


def _figure3(run: RunData, attack: str) -> list[tuple[Sample, str]]:
    """Samples and a target of each: splits in turn, in each a camera after the other."""
    samples = sorted(_sampled(run, attack), key=lambda one: (one.split, one.source, one.image_id))
    firsts = list({sample.source: sample for sample in reversed(samples)}.values())[::-1]
    turns, queue = Counter[str](), list[tuple[int, int, Sample]]()
    for sample in (*firsts, *(one for one in samples if one not in firsts)):
        queue.append((turns[sample.split], len(queue), sample))
        turns[sample.split] += 1
    chosen = sorted((one for *_, one in sorted(queue)[:FIGURE_IMAGES]), key=samples.index)
    targets = [_targets(sample) for sample in chosen]
    return [(one, of[n % len(of)]) for n, (one, of) in enumerate(zip(chosen, targets, strict=True))]


def _sampled(run: RunData, attack: str) -> list[Sample]:
    return [sample for sample in run.samples if sample.attack == attack and _targets(sample)]


def _targets(sample: Sample) -> list[str]:
    return sorted(target for target in sample.anonymised if target != sample.source)


def _picture(sample: Sample, target: str) -> Picture:
    path, buffer = sample.anonymised[target], io.BytesIO()
    Image.fromarray(stretch(_read(sample.original), _read(path))).save(buffer, "PNG")
    contents = (sample.original.read_bytes(), path.read_bytes(), buffer.getvalue())
    before, after, difference = (data_uri(content, "image/png") for content in contents)
    return Picture(
        source=sample.source,
        target=target,
        split=sample.split,
        before=before,
        after=after,
        difference=difference,
    )


def _read(path: Path) -> Pixels:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"), dtype=np.uint8)
    except OSError as error:  # `UnidentifiedImageError` is one
        raise ValueError(f"{path} is not a readable PNG ({error}); run again") from error
