"""FODB (Hadwiger & Riess 2020): `D01_Motorola_E3_1/orig/D01_img_orig_0001.jpg`.

27 phones of 25 models; the last number of a folder counts the devices of its model. Every phone
took the same 143 scenes, and the last number of a file is its scene. Beside `orig` lie versions
that social networks sent back.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from bench.suites.layouts.naming import Layout, PhotoName

_CAMERA = re.compile(r"(?P<device>D\d+)_(?P<model>\w.*)_\d+")
_SHOT = re.compile(r"(?P<device>D\d+)_img_(?P<kind>[A-Za-z]+)_(?P<scene>\d+)")


def _read(path: PurePosixPath) -> tuple[str, PhotoName] | None:
    """The network that an image came through ("orig" for none), and its camera."""
    if len(path.parts) < 3:
        return None
    camera, _, _ = path.parts[-3:]
    owner, file = _CAMERA.fullmatch(camera), _SHOT.fullmatch(path.stem)
    if not owner or not file or owner["device"] != file["device"]:
        return None
    scene = file["scene"]
    name = PhotoName(model=owner["model"], device=owner["device"], shot=scene, scene=scene)
    return path.parts[-2], name


def parse_fodb(path: PurePosixPath) -> PhotoName | None:
    """Read the path of an original photograph."""
    found = _read(path)
    return found[1] if found and found[0] == "orig" else None


def other_versions(path: PurePosixPath) -> str | None:
    """Tell what social networks sent back."""
    found = _read(path)
    return "versions of social networks" if found and found[0] != "orig" else None


FODB = Layout(
    name="fodb",
    pattern="D01_Make_Model_1/orig/D01_img_orig_SCENE.jpg",
    parse=parse_fodb,
    set_aside=other_versions,
)
