"""VISION (Shullani et al. 2017): `D01_Samsung_GalaxyS3Mini/images/nat/D01_I_nat_0001.jpg`.

35 phones and tablets, D01 to D35; a model may occur more than once. Beside the native photographs
lie flat fields (`flat`) and versions that social networks sent back (`natFBH`, `natFBL`, `natWA`).
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from bench.suites.layouts.naming import Layout, PhotoName

_CAMERA = re.compile(r"(?P<device>D\d+)_(?P<model>\w.*)")
_SHOT = re.compile(r"(?P<device>D\d+)_I_(?P<kind>[A-Za-z]+)_(?P<shot>\d+)")
_ASIDE = {
    "flat": "flat fields",
    "natFBH": "versions of social networks",
    "natFBL": "versions of social networks",
    "natWA": "versions of social networks",
}


def _read(path: PurePosixPath) -> tuple[str, PhotoName] | None:
    """What kind of image it is, and its camera."""
    if len(path.parts) < 4:
        return None
    camera, images, folder, _ = path.parts[-4:]
    owner, file = _CAMERA.fullmatch(camera), _SHOT.fullmatch(path.stem)
    if not owner or not file or images != "images" or file["kind"] != folder:
        return None
    if owner["device"] != file["device"]:
        return None
    return folder, PhotoName(model=owner["model"], device=owner["device"], shot=file["shot"])


def parse_vision(path: PurePosixPath) -> PhotoName | None:
    """Read the path of a native photograph."""
    found = _read(path)
    return found[1] if found and found[0] == "nat" else None


def other_versions(path: PurePosixPath) -> str | None:
    """Tell flat fields and what social networks sent back."""
    found = _read(path)
    return _ASIDE.get(found[0]) if found else None


VISION = Layout(
    name="vision",
    pattern="D01_Make_Model/images/nat/D01_I_nat_0001.jpg",
    parse=parse_vision,
    set_aside=other_versions,
)
