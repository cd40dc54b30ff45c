"""FloreView (Baracchi et al. 2023): `D14_Apple_iPhone13mini/Nat/jpeg-h264/L1/S1/D14_L1S1C1.jpg`.

46 phones, each at the same subjects (S) of the same places (L), of which it took several captures
(C): a scene is a subject of a place. Any folders may lie between `Nat` and a file. `Flat` holds
flat fields.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from bench.suites.layouts.naming import Layout, PhotoName

_CAMERA = re.compile(r"(?P<device>D\d+)_(?P<model>\w.*)")
_SCENE = re.compile(r"(?:^|_)(?P<scene>L\d+_?S\d+)(?=_?C\d|_|$)")


def _read(path: PurePosixPath, kind: str) -> PhotoName | None:
    """Read a path with a folder `kind` just below its camera's."""
    for above, below in zip(path.parts[:-2], path.parts[1:-1], strict=True):
        owner = _CAMERA.fullmatch(above)
        if owner and below == kind:
            scene = _SCENE.search(path.stem)
            return PhotoName(
                model=owner["model"],
                device=owner["device"],
                shot=path.stem,
                scene=scene["scene"].replace("_", "") if scene else None,
            )
    return None


def parse_floreview(path: PurePosixPath) -> PhotoName | None:
    """Read the path of a natural photograph."""
    return _read(path, "Nat")


def flat_field(path: PurePosixPath) -> str | None:
    """Tell flat fields."""
    return "flat fields" if _read(path, "Flat") else None


FLOREVIEW = Layout(
    name="floreview",
    pattern="D01_Make_Model/Nat/.../D01_L1S1C1.jpg",
    parse=parse_floreview,
    set_aside=flat_field,
)
