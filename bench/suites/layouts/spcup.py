"""IEEE Signal Processing Cup 2018 on Kaggle: `train/HTC-1-M7/(HTC-1-M7)1.jpg`.

Ten models; the folder is the label, and nothing tells one physical camera from another. The files
of `test` have no label.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from bench.suites.layouts.naming import Layout, PhotoName

UNKNOWN_DEVICE = "unknown"
_TRAIN = re.compile(r"\([^()]+\)(?P<shot>\d+)")
_TEST = re.compile(r"img_[0-9a-z]+_(unalt|manip)")


def parse_spcup(path: PurePosixPath) -> PhotoName | None:
    """Read `MODEL/(SHORT)NUMBER.jpg`, below `train` or alone."""
    file = _TRAIN.fullmatch(path.stem)
    if not file or len(path.parts) < 2 or any(part != "train" for part in path.parts[:-2]):
        return None
    return PhotoName(model=path.parts[-2], device=UNKNOWN_DEVICE, shot=file["shot"])


def unlabelled(path: PurePosixPath) -> str | None:
    """Tell the images whose camera was to be found."""
    return "images without a label" if _TEST.fullmatch(path.stem) else None


SPCUP = Layout(
    name="spcup",
    pattern="train/MODEL/(SHORT)1.jpg",
    parse=parse_spcup,
    set_aside=unlabelled,
    tells_devices=False,
)
