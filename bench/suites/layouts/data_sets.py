"""How the data sets of the literature name their files.

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
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath

from bench.suites.layouts.naming import Layout, PhotoName

FLAT_FIELDS = "flat fields"
SENT_BACK = "versions of social networks"
UNKNOWN_DEVICE = "unknown"
D70_DEVICES = 2  # of the D70; the D70s, the same camera inside, follows with its own two
_CAMERA = r"(?:.*?/)??(?P<device>D\d+)_(?P<model>\w[^/]*)"
_FLAT = re.compile(r"(flat|dark)([-_ ]?(fields?|frames?))?s?([-_ ]?images?)?", re.IGNORECASE)


def _layout(
    name: str,
    pattern: str,
    expression: str,
    aside: Callable[[str], str | None],
    *,
    tells_devices: bool = True,
) -> Layout:
    """A layout that a regular expression tells.

    Args:
        name: Of the layout.
        pattern: For people.
        expression: Of a path without its suffix, with groups as in `PhotoName`, and `kind`.
        aside: What a file of a kind is when it is no photograph as the camera wrote it.
        tells_devices: As of `Layout`.
    """
    whole = re.compile(expression)

    def read(path: PurePosixPath) -> tuple[str | None, PhotoName] | None:
        found = whole.fullmatch(path.with_suffix("").as_posix())
        if found is None:
            return None
        told = found.groupdict()
        scene = told.get("scene")
        photo = PhotoName(
            model=told["model"],
            device=told.get("device", UNKNOWN_DEVICE),
            shot=told.get("shot") or str(scene),
            scene=scene and scene.replace("_", ""),
        )
        return aside(told.get("kind") or ""), photo

    def parse(path: PurePosixPath) -> PhotoName | None:
        found = read(path)
        return found[1] if found and found[0] is None else None

    def set_aside(path: PurePosixPath) -> str | None:
        found = read(path)
        return found[0] if found else None

    return Layout(
        name=name,
        pattern=pattern,
        parse=parse,
        set_aside=set_aside,
        tells_devices=tells_devices,
    )


VISION = _layout(
    "vision",
    "D01_Make_Model/images/nat/D01_I_nat_0001.jpg",
    _CAMERA + r"/images/(?P<kind>flat|nat(?:FBH|FBL|WA)?)/(?P=device)_I_(?P=kind)_(?P<shot>\d+)",
    lambda kind: {"nat": None, "flat": FLAT_FIELDS}.get(kind, SENT_BACK),
)
FODB = _layout(
    "fodb",
    "D01_Make_Model_1/orig/D01_img_orig_SCENE.jpg",
    _CAMERA + r"_\d+/(?P<kind>[^/]+)/(?P=device)_img_[A-Za-z]+_(?P<scene>\d+)",
    lambda kind: None if kind == "orig" else SENT_BACK,
)
FLOREVIEW = _layout(
    "floreview",
    "D01_Make_Model/Nat/.../D01_L1S1C1.jpg",
    _CAMERA + r"/(?P<kind>Nat|Flat)/(?:.*/)?"
    r"(?P<shot>(?:[^/]*?_)?(?P<scene>L\d+_?S\d+)(?:(?:_?C\d|_)[^/]*)?|[^/]+)",
    lambda kind: FLAT_FIELDS if kind == "Flat" else None,
)
SPCUP = _layout(
    "spcup",
    "train/MODEL/(SHORT)1.jpg",
    r"(?:train/)*(?P<model>[^/]+)/\([^()/]+\)(?P<shot>\d+)|(?:.*/)?(?P<kind>img_[0-9a-z]+_)"
    r"(?:unalt|manip)",
    lambda kind: "images without a label" if kind else None,
    tells_devices=False,
)


def flat_field(path: PurePosixPath) -> str | None:
    """Tell flat fields and dark frames by a folder they lie in."""
    return FLAT_FIELDS if any(_FLAT.fullmatch(part) for part in path.parts[:-1]) else None


DRESDEN = replace(
    _layout(
        "dresden",
        "Make_Model_Device_Shot.JPG",
        r"(?:.*/)?(?P<model>[^_/]+(?:_[^_/]+)+)_(?P<device>\d+)_(?P<shot>\d+)",
        lambda _: None,
    ),
    set_aside=flat_field,
)


def merged(name: PhotoName) -> PhotoName:
    """One name for one camera model, as `dresden-v1` counts them; folder suites keep the D70s.

    The Nikon D70s are devices 2 and 3 of the D70; the Olympus mju 1050SW, which copies of the
    database spell in two ways, is `Olympus_mju-1050SW`.
    """
    if name.model.lower() == "nikon_d70s":
        device = str(int(name.device) + D70_DEVICES)
        return replace(name, model=name.model[:-1], device=device)
    if name.model.lower() == "olympus_mju_1050sw":
        return replace(name, model=name.model.replace("mju_", "mju-"))
    return name
