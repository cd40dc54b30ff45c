"""What a layout is: one way of naming the files of a data set; and the plain tree of one's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")


@dataclass(frozen=True, kw_only=True)
class PhotoName:
    """What a file's path says.

    Attributes:
        device: One physical camera, unique within its model.
        shot: Puts the photographs of a device in order.
        scene: What was photographed, where the name tells; the same for all devices.
    """

    model: str
    device: str
    shot: str
    scene: str | None = None


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A usable photograph.

    Attributes:
        path: Relative to the folder.
        device: One physical camera, unique in the folder: "MODEL/DEVICE".
        shot: Puts the photographs of a device in order.
        stated: The camera that EXIF names, or else a file name that reads as a Dresden name.
    """

    path: PurePosixPath
    model: str
    device: str
    shot: str
    scene: str | None
    sha256: str
    width: int
    height: int
    stated: str | None = None


def _nothing(_: PurePosixPath) -> str | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A way of naming files.

    Attributes:
        pattern: For people, such as "MODEL/DEVICE/IMAGE.jpg".
        parse: Reads a path relative to the data set's folder; `None` if it does not fit.
        set_aside: Says what a file of the data set is when it is no photograph as the camera wrote
            it, such as "flat fields"; `None` for all others.
        tells_devices: Whether the names tell one physical camera from another.
    """

    name: str
    pattern: str
    parse: Callable[[PurePosixPath], PhotoName | None]
    set_aside: Callable[[PurePosixPath], str | None] = _nothing
    tells_devices: bool = True

    def knows(self, path: PurePosixPath) -> bool:
        """Whether a file is one of the data set's."""
        return self.parse(path) is not None or self.set_aside(path) is not None


def is_image(path: PurePosixPath) -> bool:
    """Whether a file's name ends like a photograph's."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key by which `shot-9` comes before `shot-10`."""
    parts = re.split(r"([0-9]+)", text)
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p)


def parse_tree(path: PurePosixPath) -> PhotoName | None:
    """Read `MODEL/DEVICE/IMAGE.jpg`."""
    if len(path.parts) != 3:
        return None
    model, device, _ = path.parts
    return PhotoName(model=model, device=device, shot=path.stem)


TREE = Layout(name="tree", pattern="MODEL/DEVICE/IMAGE.jpg", parse=parse_tree)
