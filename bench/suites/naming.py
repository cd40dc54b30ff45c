"""How the path of a photograph tells its camera: one `Layout` for each way of naming files.

A further data set is a further `Layout`, which needs its file names alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from bench.types import CamobenchError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")


@dataclass(frozen=True, kw_only=True)
class PhotoName:
    """What a file's path says.

    Attributes:
        device: One physical camera, unique within its model.
        shot: Puts the photographs of a device in order.
        scene: What was photographed, where the name tells.
    """

    model: str
    device: str
    shot: str
    scene: str | None = None


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A way of naming files.

    Attributes:
        pattern: For people, such as "MODEL/DEVICE/IMAGE.jpg".
        parse: Reads a path relative to the data set's folder; `None` if it does not fit.
    """

    name: str
    pattern: str
    parse: Callable[[PurePosixPath], PhotoName | None]


def parse_tree(path: PurePosixPath) -> PhotoName | None:
    """Read `MODEL/DEVICE/IMAGE.jpg`."""
    if len(path.parts) != 3:
        return None
    model, device, _ = path.parts
    return PhotoName(model=model, device=device, shot=path.stem)


def parse_dresden(path: PurePosixPath) -> PhotoName | None:
    """Read `Make_Model_Device_Shot.JPG` from both ends, as models hold underscores and dashes."""
    tokens = path.stem.split("_")
    if len(tokens) < 4 or not all(tokens):
        return None
    device, shot = tokens[-2:]
    if not (device.isdecimal() and shot.isdecimal()):
        return None
    return PhotoName(model="_".join(tokens[:-2]), device=device, shot=shot)


TREE = Layout(name="tree", pattern="MODEL/DEVICE/IMAGE.jpg", parse=parse_tree)
DRESDEN = Layout(name="dresden", pattern="Make_Model_Device_Shot.JPG", parse=parse_dresden)


def is_image(path: PurePosixPath) -> bool:
    """Whether a file's name ends like a photograph's."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def detect_layout(paths: Iterable[PurePosixPath]) -> Layout:
    """Tell a flat folder of Dresden names from a tree.

    Raises:
        CamobenchError: If photographs lie both in the folder itself and in folders below.
    """
    flat: list[PurePosixPath] = []
    deep: list[PurePosixPath] = []
    for path in paths:
        (flat if len(path.parts) == 1 else deep).append(path)
    if flat and deep:
        raise CamobenchError(
            f"photographs lie in the folder itself ({flat[0]}) and in folders below ({deep[0]}); "
            f"expected either files named {DRESDEN.pattern} or a tree {TREE.pattern}"
        )
    return TREE if deep else DRESDEN


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key by which `shot-9` comes before `shot-10`."""
    parts = re.split(r"([0-9]+)", text)
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p)
