"""One `camobench perf`: everything measured on one machine, in one run, and put together."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from bench.contract import ATTACKS, VICTIMS, AttackSpec
from bench.perf.agreement import measure_agreement
from bench.perf.end_to_end import EndToEnd, measure_end_to_end, memory_at
from bench.perf.incremental import Incremental, measure_incremental
from bench.perf.machine import describe_machine
from bench.perf.peaks import Peaks, measure_peaks
from bench.perf.scaling import Law, Point, draw_scaling, fit_laws, measure_scaling
from bench.perf.stages import Stage, measure_stages
from bench.perf.training import TrainingThroughput, measure_training
from bench.perf.workbench import Load, Workbench
from bench.runner.agreement import Measured
from bench.runner.selection import select_victims
from bench.store import read_json
from bench.types import CamobenchError, Json, Progress, Silent, as_json

SCHEMA = 1
NARROW_RECIPE = "mini"
PARTS = ("end-to-end", "training", "agreement", "incremental", "memory", "scaling")
QUICK_PARTS = PARTS[:3]
DEFAULT_MEMORY_IMAGES = (10, 100)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to measure.

    Attributes:
        image_px: Side of the images of all but the memory and the training.
        images: Of the end-to-end load.
        targets: Of each image.
        reference_images: Those that the reference loop takes: their transforms fill whole batches.
        repeats: Of each measurement.
        agreement_images: Of Set-C of the mini suite; `None` for all.
        memory_images: At which the peak memory is taken, at 512 x 512.
        parts: Of `PARTS`.
        quick: Shortens the training too.
        recipe: Whose widths the networks have.
    """

    image_px: int
    images: int
    targets: int = 5
    reference_images: int = 2
    repeats: int = 3
    agreement_images: int | None = None
    memory_images: tuple[int, ...] = DEFAULT_MEMORY_IMAGES
    parts: tuple[str, ...] = PARTS
    quick: bool = False
    recipe: str = "paper"

    def __post_init__(self) -> None:
        unknown = [part for part in self.parts if part not in PARTS]
        if unknown:
            raise CamobenchError(
                f"unknown part {', '.join(unknown)} of perf; known are {', '.join(PARTS)}"
            )


def make_plan(
    device: torch.device,
    *,
    quick: bool,
    parts: tuple[str, ...] = (),
    image_px: int | None = None,
    memory_images: tuple[int, ...] = (),
) -> Plan:
    """What suits a device: two minutes on two cores if `quick`, else a quarter of an hour."""
    cuda = device.type == "cuda"
    if quick:
        return Plan(
            image_px=image_px or (256 if cuda else 128),
            images=64 if cuda else 8,
            targets=4,
            reference_images=64 if cuda else 8,
            repeats=2,
            agreement_images=24,
            parts=parts or QUICK_PARTS,
            quick=True,
            memory_images=memory_images or DEFAULT_MEMORY_IMAGES,
        )
    return Plan(
        image_px=image_px or (512 if cuda else 256),
        images=256 if cuda else 8,
        targets=4,
        reference_images=64 if cuda else 4,
        parts=parts or PARTS,
        memory_images=memory_images or DEFAULT_MEMORY_IMAGES,
    )


@dataclass(frozen=True, kw_only=True)
class Performance:
    """Everything that was measured; parts that were not asked for are `None`."""

    plan: Plan
    machine: Mapping[str, Json]
    peaks: Peaks
    stages: tuple[Stage, ...] | None = None
    end_to_end: EndToEnd | None = None
    agreement: Measured | None = None
    training: TrainingThroughput | None = None
    narrow_training: TrainingThroughput | None = None
    incremental: Incremental | None = None
    memory: tuple[Mapping[str, float], ...] | None = None
    scaling: tuple[Point, ...] | None = None

    @property
    def laws(self) -> list[Law]:
        """How cost grows."""
        return fit_laws(list(self.scaling or ()))

    def as_json(self) -> dict[str, Json]:
        """For scripts: keys are stable, parts that were not measured are absent."""
        found: dict[str, object] = {
            "schema": SCHEMA,
            "quick": self.plan.quick,
            "plan": asdict(self.plan),
            "machine": dict(self.machine),
            "peaks": asdict(self.peaks),
        }
        if self.stages is not None:
            found["stages"] = [stage.row() for stage in self.stages]
        if self.end_to_end is not None:
            found["end_to_end"] = _end_to_end(self.end_to_end)
        if self.agreement is not None:
            by_victim = self.agreement.by_victim
            agreement = {
                "agreement_percent": 100 * self.agreement.share,
                "agreement_rows": len(self.agreement.exact),
                "agreement_rates_moved": sum(one.moved for one in by_victim),
                "agreement_by_victim": [asdict(one) for one in by_victim],
            }
            there = found.setdefault("end_to_end", {})
            found["end_to_end"] = {**there, **agreement}  # type: ignore[dict-item]
        if self.training is not None:
            found["training"] = asdict(self.training)
        if self.narrow_training is not None:
            found["narrow_training"] = asdict(self.narrow_training)
        if self.incremental is not None:
            shares = ("column_share", "column_kept_share", "row_share")
            found["incremental"] = {
                **asdict(self.incremental),
                **{name: getattr(self.incremental, name) for name in shares},
            }
        if self.memory is not None:
            found["memory"] = list(self.memory)
        if self.scaling is not None:
            found["scaling"] = {
                "points": [asdict(point) for point in self.scaling],
                "laws": [asdict(law) for law in self.laws],
            }
        whole = as_json(found)
        if not isinstance(whole, dict):
            raise TypeError("a mapping became something else")
        return whole


def measure(plan: Plan, device: torch.device, progress: Progress) -> Performance:
    """Measure every part of the plan, one after the other."""
    attack, other = _two_attacks()
    victims = tuple(select_victims("all"))
    load = Load(
        image_px=plan.image_px,
        images=plan.images,
        targets=plan.targets,
        attack=attack,
        victims=victims,
        recipe=plan.recipe,
    )
    found: dict[str, object] = {"machine": describe_machine(device)}
    progress.start("measuring", len(plan.parts) + 1)
    peaks = measure_peaks(device)
    progress.advance(1)
    with tempfile.TemporaryDirectory(prefix="camobench-perf-") as folder:
        root = Path(folder)
        for part in plan.parts:
            if part == "end-to-end":
                end = measure_end_to_end(
                    load,
                    root / part,
                    device,
                    peaks,
                    repeats=plan.repeats,
                    reference_images=plan.reference_images,
                )
                bench = Workbench(load=load, root=root / part)
                batch = end.runner["mixed"].batch
                found["end_to_end"] = end
                found["stages"] = tuple(
                    measure_stages(
                        bench, device, peaks, end.cost, batch=batch, repeats=plan.repeats
                    )
                )
            elif part == "training":
                found["training"] = measure_training(device, quick=plan.quick)
                found["narrow_training"] = measure_training(
                    device, quick=plan.quick, recipe=NARROW_RECIPE
                )
            elif part == "agreement":
                found["agreement"] = measure_agreement(
                    attack, victims, root / part, device, plan.agreement_images
                )
            elif part == "incremental":
                found["incremental"] = measure_incremental(load, other, root / part, device)
            elif part == "memory":
                small = replace(
                    load, image_px=512, images=1, targets=1, victims=_one_a_family(victims)
                )
                found["memory"] = tuple(memory_at(small, root / part, device, plan.memory_images))
            elif part == "scaling":
                base = replace(load, image_px=128, images=4, targets=2)
                found["scaling"] = tuple(measure_scaling(base, root / part, device, 1, Silent()))
            progress.advance(1)
    progress.finish()
    return Performance(plan=plan, peaks=peaks, **found)  # type: ignore[arg-type]


def require_same_plan(path: Path, plan: Plan) -> None:
    """Refuse to replace a file, unless it holds figures of the same plan.

    Raises:
        CamobenchError: If it holds anything else.
    """
    try:
        same = not path.exists() or read_json(path).get("plan") == as_json(asdict(plan))
    except CamobenchError:
        same = False
    if not same:
        raise CamobenchError(f"{path} holds something else: choose another name, or remove it")


def write_performance(found: Performance, folder: Path) -> None:
    """Write what there is to look at into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if found.scaling is not None:
        draw_scaling(list(found.scaling), folder / "scaling.png")


def _end_to_end(found: EndToEnd) -> dict[str, object]:
    mixed = found.runner["mixed"]
    return {
        "ratio_over_reference": found.ratio("mixed"),
        "ratio_over_reference_fp32": found.ratio("fp32"),
        "fraction_of_peak": found.fraction_of_peak("mixed"),
        "fraction_of_peak_fp32": found.fraction_of_peak("fp32"),
        "peak_memory_gib": mixed.peak_memory_gib,
        "peak_memory_beyond_networks_gib": mixed.peak_memory_gib - mixed.networks_gib,
        "seconds_per_transform": found.seconds_per_transform("mixed"),
        "seconds_per_transform_fp32": found.seconds_per_transform("fp32"),
        "reference_seconds_per_transform": found.reference_s_per_transform,
        "gflop_per_transform": found.cost.gflop_per_transform,
        "close_calls_decided_in_fp32": mixed.close_calls,
        "precision": {"generator": "fp32", "front_ends": "fp32", "backbones": "bf16"},
        "load": asdict(found.load),
        "runner": {name: asdict(times) for name, times in found.runner.items()},
        "reference": asdict(found.reference),
    }


def _two_attacks() -> tuple[str, str]:
    """The two paper rows with most LAACs: full-width generators."""

    def rank(spec: AttackSpec) -> tuple[int, bool]:
        return len(spec.laac), not spec.scfa

    specs = sorted((e.spec for e in ATTACKS if e.spec.paper_row), key=rank, reverse=True)
    return specs[0].name, specs[1].name


def _one_a_family(victims: tuple[str, ...]) -> tuple[str, ...]:
    return tuple({VICTIMS.get(name).spec.front_end: name for name in victims}.values())
