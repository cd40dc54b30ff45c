"""The Dresden image database (Gloe & Böhme 2010): `Make_Model_Device_Shot.JPG`.

Flat fields are named like photographs: only their folder tells them apart.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath

from bench.suites.layouts.naming import Layout, PhotoName

D70_DEVICES = 2  # of the D70; the D70s, the same camera inside, follows with its own two
_FLAT = re.compile(r"(flat|dark)([-_ ]?(fields?|frames?))?s?([-_ ]?images?)?", re.IGNORECASE)


def parse_dresden(path: PurePosixPath) -> PhotoName | None:
    """Read `Make_Model_Device_Shot.JPG` from both ends, as models hold underscores and dashes."""
    tokens = path.stem.split("_")
    if len(tokens) < 4 or not all(tokens):
        return None
    device, shot = tokens[-2:]
    if not (device.isdecimal() and shot.isdecimal()):
        return None
    return PhotoName(model="_".join(tokens[:-2]), device=device, shot=shot)


def flat_field(path: PurePosixPath) -> str | None:
    """Tell flat fields and dark frames by a folder they lie in."""
    return "flat fields" if any(_FLAT.fullmatch(part) for part in path.parts[:-1]) else None


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


DRESDEN = Layout(
    name="dresden",
    pattern="Make_Model_Device_Shot.JPG",
    parse=parse_dresden,
    set_aside=flat_field,
)
