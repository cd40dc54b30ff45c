"""Flat fields: frames of evenly lit surfaces, which tell a device's fingerprint; in no set.

A simulated camera takes its own. Those of real ones are a folder of the user's, named as the
suite's photographs are: `MODEL/DEVICE/*.jpg`, or Dresden names in any folders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from bench.data import decode_rgb
from bench.store import file_digest
from bench.suites.base import Suite
from bench.suites.dresden.protocol import DRESDEN_V1, as_listed
from bench.suites.photographs.camera_names import one_spelling
from bench.suites.photographs.layouts import DRESDEN, TREE
from bench.suites.photographs.scan import list_images
from bench.suites.simcam import derive_seed
from bench.suites.simcam.cameras import load_cameras, make_device
from bench.suites.simcam.pipeline import capture
from bench.suites.simcam.plan import DEVICES, DEVICES_OUT, SimcamSpec
from bench.types import CamobenchError, Json, as_json

FRAMES = 64
"""Of a simulated device; twice as many raise PCE by 3 to 7 % (128 px, Set-B)."""
LIGHT = 0.18
"""Linear radiance of the surface; exposure varies from frame to frame."""
Frame = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class FlatFields:
    """Frames of several devices.

    Attributes:
        counts: Frames by device, as manifests name it.
        identity: All that shapes them.
        of: Gives the (3, H, W) frames of one device.
    """

    counts: dict[str, int]
    identity: Json
    of: Callable[[str], Iterator[Frame]]


def simulated(spec: SimcamSpec) -> FlatFields:
    """Of every device of a simulated suite, whatever its set."""
    inside = sorted({index for some in DEVICES.values() for index in some})
    places = {model: inside for model in spec.models_in}
    places |= {model: list(DEVICES_OUT["C"]) for model in spec.models_out}
    devices = {
        f"{model}-d{index}": (model, index) for model, some in places.items() for index in some
    }

    def frames(name: str) -> Iterator[Frame]:
        model, index = devices[name]
        device = make_device(load_cameras()[model], index, derive_seed(spec.seed, "devices"))
        surface = np.full((3, spec.image_px, spec.image_px), LIGHT, np.float32)
        for number in range(FRAMES):
            shot = derive_seed(spec.seed, "flat field", name, number)
            yield decode_rgb(capture(surface, device, shot), name)

    counts = dict.fromkeys(devices, FRAMES)
    return FlatFields(counts=counts, identity=[spec.fingerprint(), FRAMES, LIGHT], of=frames)


def photographed(root: Path, suite: Suite) -> FlatFields:
    """Of a user's devices, spelled as in Set-C; in `dresden-v1` as its list does.

    Raises:
        CamobenchError: If its files do not tell a device, names one; if some are of Set-C.
    """
    paths, manifest = list_images(root), suite.manifest("C")
    names = [DRESDEN.photo(PurePosixPath(path.name)) for path in paths]
    if not all(names):
        names = [TREE.photo(path) for path in paths]
    devices = []
    for path, name in zip(paths, names, strict=True):
        if name is None:
            raise CamobenchError(
                f"{root / path} does not tell its device: name flat fields {TREE.pattern} or "
                f"{DRESDEN.pattern}"
            )
        name = as_listed(name) if suite.card.name == DRESDEN_V1.name else name
        devices.append(f"{name.model}/{name.device}")
    spelled = one_spelling((*manifest["device"], *devices))
    own = {spelled[device]: device for device in manifest["device"]}
    found: dict[str, list[Path]] = {}
    for path, device in zip(paths, devices, strict=True):
        found.setdefault(own.get(spelled[device], spelled[device]), []).append(root / path)
    files = {name: list(map(file_digest, some)) for name, some in found.items()}
    seen = manifest["sha256"].isin([sha256 for some in files.values() for sha256 in some])
    if seen.any():
        raise CamobenchError(
            f"{root} holds photographs of Set-C, such as {manifest['photo_id'][seen].iloc[0]}, "
            "which would be linked with themselves: point to a folder of flat fields alone"
        )

    def frames(name: str) -> Iterator[Frame]:
        return (decode_rgb(path.read_bytes(), str(path)) for path in found[name])

    counts = {device: len(some) for device, some in found.items()}
    return FlatFields(counts=counts, identity=as_json(files), of=frames)
