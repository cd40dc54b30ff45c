"""How the path of a photograph tells its camera: a tree of one's own, and data sets' own naming.

VISION (Shullani et al. 2017): 35 phones and tablets. Beside the native photographs lie flat fields
and versions that social networks sent back.

FODB (Hadwiger & Riess 2020): 27 phones of 25 models; the last number of a folder counts the devices
of its model. Every phone took the same 143 scenes; the last number of a file is its scene.

FloreView (Baracchi et al. 2023): 46 phones, each at the same subjects (S) of the same places (L),
of which it took several captures (C). Any folders may lie between `Nat` and a file.

IEEE Signal Processing Cup 2018 on Kaggle: ten models; the folder is the label, and nothing tells
one physical camera from another. The files of `test` have no label.

Dresden (Gloe & Böhme 2010): models hold underscores and dashes, and flat fields are named like
photographs: only their folder tells them apart.

A further data set is a further `Layout`, which needs its file names alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType

from bench.types import CamobenchError
from bench.wording import unknown

FLAT_FIELDS = "flat fields"
SENT_BACK = "versions of social networks"
UNKNOWN_DEVICE = "unknown"

_CAMERA = r"(?:.*?/)??(?P<device>D\d+)_(?P<model>\w[^/]*)"
_FLAT = r"(?i:(?:flat|dark)(?:[-_ ]?(?:fields?|frames?))?s?(?:[-_ ]?images?)?)"
_NEARLY_ALL = 0.9


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
class Layout:
    """A way of naming files.

    Attributes:
        pattern: For people, such as "MODEL/DEVICE/IMAGE.jpg".
        expression: Of a path without its suffix, with groups as in `PhotoName`, and `kind`.
        aside: What a file of a kind is when it is no photograph as the camera wrote it, such as
            "flat fields".
        tells_devices: Whether the names tell one physical camera from another.
    """

    name: str
    pattern: str
    expression: str
    aside: Callable[[str], str | None] = lambda _: None
    tells_devices: bool = True

    def read(self, path: PurePosixPath) -> PhotoName | str | None:
        """What a path relative to the data set's folder says.

        Returns:
            The photograph; or what the file is otherwise; `None` if it is none of the data set's.
        """
        found = re.fullmatch(self.expression, path.with_suffix("").as_posix())
        if found is None:
            return None
        told = found.groupdict()
        if other := self.aside(told.get("kind") or ""):
            return other
        scene = told.get("scene")
        return PhotoName(
            model=told["model"],
            device=told.get("device", UNKNOWN_DEVICE),
            shot=told.get("shot") or str(scene),
            scene=scene and scene.replace("_", ""),
        )

    def photo(self, path: PurePosixPath) -> PhotoName | None:
        """The photograph that a path names, if it names one."""
        found = self.read(path)
        return found if isinstance(found, PhotoName) else None

    def share(self, paths: Sequence[PurePosixPath]) -> float:
        """How many of the files are the data set's, of one."""
        return sum(self.read(path) is not None for path in paths) / len(paths)


TREE = Layout(
    name="tree",
    pattern="MODEL/DEVICE/IMAGE.jpg",
    expression=r"(?P<model>[^/]+)/(?P<device>[^/]+)/(?P<shot>[^/]+)",
)
VISION = Layout(
    name="vision",
    pattern="D01_Make_Model/images/nat/D01_I_nat_0001.jpg",
    expression=_CAMERA
    + r"/images/(?P<kind>flat|nat(?:FBH|FBL|WA)?)/(?P=device)_I_(?P=kind)_(?P<shot>\d+)",
    aside=lambda kind: {"nat": None, "flat": FLAT_FIELDS}.get(kind, SENT_BACK),
)
FODB = Layout(
    name="fodb",
    pattern="D01_Make_Model_1/orig/D01_img_orig_SCENE.jpg",
    expression=_CAMERA + r"_\d+/(?P<kind>[^/]+)/(?P=device)_img_[A-Za-z]+_(?P<scene>\d+)",
    aside=lambda kind: None if kind == "orig" else SENT_BACK,
)
FLOREVIEW = Layout(
    name="floreview",
    pattern="D01_Make_Model/Nat/.../D01_L1S1C1.jpg",
    expression=_CAMERA + r"/(?P<kind>Nat|Flat)/(?:.*/)?"
    r"(?P<shot>(?:[^/]*?_)?(?P<scene>L\d+_?S\d+)(?:(?:_?C\d|_)[^/]*)?|[^/]+)",
    aside=lambda kind: FLAT_FIELDS if kind == "Flat" else None,
)
SPCUP = Layout(
    name="spcup",
    pattern="train/MODEL/(SHORT)1.jpg",
    expression=r"(?:train/)*(?P<model>[^/]+)/\([^()/]+\)(?P<shot>\d+)"
    r"|(?:.*/)?(?P<kind>img_[0-9a-z]+_)(?:unalt|manip)",
    aside=lambda kind: "images without a label" if kind else None,
    tells_devices=False,
)
DRESDEN = Layout(
    name="dresden",
    pattern="Make_Model_Device_Shot.JPG",
    expression=rf"(?:.*/)?(?P<kind>{_FLAT})/.*"
    r"|(?:.*/)?(?P<model>[^_/]+(?:_[^_/]+)+)_(?P<device>\d+)_(?P<shot>\d+)",
    aside=lambda kind: FLAT_FIELDS if kind else None,
)
LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {layout.name: layout for layout in (TREE, DRESDEN, VISION, FODB, FLOREVIEW, SPCUP)}
)


def get_layout(name: str) -> Layout:
    """The layout called `name`.

    Raises:
        CamobenchError: If there is none; lists close matches.
    """
    if name in LAYOUTS:
        return LAYOUTS[name]
    raise CamobenchError(unknown("layout", name, LAYOUTS))


def detect_layout(paths: Sequence[PurePosixPath]) -> Layout:
    """Tell from the names how a folder is laid out.

    A data set's own naming is taken when most files follow it, so that strays are still reported.

    Raises:
        CamobenchError: If photographs lie both in the folder itself and in folders below.
    """
    for layout in (VISION, FODB, FLOREVIEW, SPCUP):
        if layout.share(paths) > 0.5:
            return layout
    flat = [path for path in paths if len(path.parts) == 1]
    deep = [path for path in paths if len(path.parts) > 1]
    tree = any(len(path.parts) == 3 for path in paths)
    dresden = DRESDEN.share(paths)
    if deep and (dresden >= _NEARLY_ALL and _contradicts_tree(paths) if tree else dresden > 0.5):
        return DRESDEN
    if flat and deep:
        raise CamobenchError(
            f"photographs lie in the folder itself ({flat[0]}) and in folders below ({deep[0]}); "
            f"expected either files named {DRESDEN.pattern} or a tree {TREE.pattern}"
        )
    return TREE if deep else DRESDEN


def _contradicts_tree(paths: Sequence[PurePosixPath]) -> bool:
    """Whether folders part the files, flat fields too, otherwise than their Dresden names do."""
    named = [
        (path.parts, name) for path in paths if (name := DRESDEN.photo(PurePosixPath(path.name)))
    ]
    models = {(parts[:-2], name.model) for parts, name in named}
    devices = {(parts[:-1], (name.model, name.device)) for parts, name in named}
    return any(
        len(set(side)) < len(pairs)
        for pairs in (models, devices)
        for side in zip(*pairs, strict=True)
    )


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key by which `shot-9` comes before `shot-10`."""
    parts = re.split(r"([0-9]+)", text)
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p)
