"""Which camera photographs which scene, in which set: the plan of a simulated suite.

Within a set every model photographs the same scenes, so that content cannot tell the class;
between Set-A, which trains the victims, Set-B, which trains the attacks, and Set-C, which
evaluates, no scene and no device is shared. Set-D is Set-A once more, with photographs of the same
scenes by the other models, for victims that know these too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType

from bench.suites.base import Row
from bench.suites.simcam import stream
from bench.suites.simcam.cameras import load_cameras
from bench.types import IN, OUT, SetName

SIMULATOR_VERSION = 1  # raise it when the same plan gives other bytes
DEVICES = {"A": (2, 3), "B": (0, 1), "C": (4,), "D": (2, 3)}  # of the in-distribution models
DEVICES_OUT = {"C": (0,), "D": (2, 3)}  # of the others

Counts = int | tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class SimcamSpec:
    """A simulated suite.

    Args:
        name: The suite's name, its version included.
        version: Version of the plan; raise it when counts or cameras change.
        seed: Names all scenes, devices and shots.
        image_px: Side of the square images.
        models_in: Models of the in-distribution split, the classes of the victims.
        models_out: Models of the out-of-distribution split, in Set-C only.
        images_a: Images per model in Set-A: one number, or one for each of `models_in`.
        images_b: The same for Set-B.
        images_c: The same for Set-C, for each of `models_in`, then of `models_out`.
        validation_fraction: Share of the scenes of Set-A and of Set-B kept for validation.
        real: Whether the real photographs that ship are a third split of Set-C.
    """

    name: str
    version: int
    seed: int
    image_px: int
    models_in: tuple[str, ...]
    models_out: tuple[str, ...]
    images_a: Counts
    images_b: Counts
    images_c: Counts
    validation_fraction: float = 0.1
    real: bool = False

    def counts(self, set_name: SetName) -> dict[str, int]:
        """Return the number of images per model in a set."""
        if set_name == "D":
            own = self.counts("A")
            return {**own, **dict.fromkeys(self.models_out, min(own.values()))}
        models = self.models_in + self.models_out if set_name == "C" else self.models_in
        given: Counts = {"A": self.images_a, "B": self.images_b, "C": self.images_c}[set_name]
        counts = (given,) * len(models) if isinstance(given, int) else given
        return dict(zip(models, counts, strict=True))

    def fingerprint(self) -> str:
        """Return the SHA-256 of all that shapes the simulated images."""
        known = load_cameras()
        cameras = [asdict(known[name]) for name in self.models_in + self.models_out]
        spec = {name: value for name, value in asdict(self).items() if name != "real"}
        content = {"simulator": SIMULATOR_VERSION, "spec": spec, "cameras": cameras}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _validation_scenes(spec: SimcamSpec, set_name: str, count: int) -> set[int]:
    """Draw one scene of each block, so that models with fewer images keep the same share."""
    rng = stream(spec.seed, "validation", set_name)
    block = round(1 / spec.validation_fraction)
    return {start + int(rng.integers(block)) for start in range(0, count - block + 1, block)}


def plan(spec: SimcamSpec, set_name: SetName) -> list[Row]:
    """Return the photographs of a set, scene by scene; what their files hold is not known yet.

    A model with fewer images than another photographs the first of the other's scenes.
    """
    counts = spec.counts(set_name)
    most = max(counts.values())
    series = "A" if set_name == "D" else set_name
    validation = _validation_scenes(spec, series, most)
    rows = []
    for scene_index in range(most):
        scene = f"{series}-s{scene_index:04d}"
        training = "validation" if scene_index in validation else "train"
        for model, count in counts.items():
            if scene_index >= count:
                continue
            inside = model in spec.models_in
            devices = (DEVICES if inside else DEVICES_OUT)[set_name]
            index = devices[scene_index % len(devices)]
            image_id = f"{series}-{model}-d{index}-s{scene_index:04d}"
            rows.append(
                Row(
                    image_id=image_id,
                    photo_id=image_id,
                    model=model,
                    device=f"{model}-d{index}",
                    scene=scene,
                    set=set_name,
                    split=IN if inside else OUT,
                    partition="evaluation" if set_name == "C" else training,
                    sha256="",
                )
            )
    return rows


SIMCAM_MINI = SimcamSpec(
    name="simcam-mini-v2",
    version=2,
    seed=20260,
    image_px=128,
    models_in=("simcam-01", "simcam-02", "simcam-03"),
    models_out=("simcam-07", "simcam-08", "simcam-09"),
    images_a=160,
    images_b=160,
    images_c=24,
    real=True,
)

SIMCAM_MIDI = replace(
    SIMCAM_MINI, name="simcam-midi-v2", seed=20264, image_px=256, images_a=240, images_b=240
)

SIMCAM_12 = SimcamSpec(
    name="simcam12-v2",
    version=2,
    seed=20262,
    image_px=512,
    models_in=tuple(f"simcam-{i:02d}" for i in range(1, 7)),
    models_out=tuple(f"simcam-{i:02d}" for i in range(7, 13)),
    images_a=(765, 335, 330, 358, 379, 296),  # Table 1 of Andrews et al. (2020), in images
    images_b=(760, 324, 352, 345, 374, 353),
    images_c=100,
)

SIMCAM_12_SMALL = replace(
    SIMCAM_12, name="simcam12-small-v2", seed=20263, image_px=128, images_c=25
)

SIMCAM_SMOKE = SimcamSpec(
    name="simcam-smoke-v2",
    version=2,
    seed=20261,
    image_px=64,
    models_in=("simcam-01", "simcam-02", "simcam-03"),
    models_out=("simcam-07",),
    images_a=4,
    images_b=4,
    images_c=2,
    validation_fraction=0.5,
)

SIMULATED: Mapping[str, SimcamSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (SIMCAM_MINI, SIMCAM_MIDI, SIMCAM_12_SMALL, SIMCAM_12, SIMCAM_SMOKE)
    }
)
