"""`camobench perf` at its smallest; the figures mean nothing."""

import json
from dataclasses import replace

import pytest
import torch

from bench.perf import end_to_end, peaks, stages
from bench.perf.end_to_end import EndToEnd, Times
from bench.perf.peaks import Peaks
from bench.perf.session import measure, require_same_load
from bench.perf.workbench import Cost, Load, Workbench
from bench.store import write_json
from bench.types import CamobenchError, Silent
from tests.smoke import VICTIMS

CPU = torch.device("cpu")
LOAD = Load(
    image_px=64,
    images=2,
    targets=1,
    attack="cgan-img-wdf-pef",
    victims=tuple(VICTIMS),
    reference_images=1,
    repeats=1,
    recipe="smoke",
)


@pytest.fixture(scope="module")
def found():
    """Measured in this process, without what children are for."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (end_to_end, stages):
            patch.setattr(module, "in_child", lambda work, *arguments: work(*arguments))
            patch.setattr(module, "keep_freed_memory", lambda: True)
        patch.setitem(peaks.MOST_SIDE, "cpu", 512)
        patch.setitem(peaks.COPY_BYTES, "cpu", 2**22)
        yield measure(LOAD, CPU, Silent())


def test_stable_keys(found):
    figures = found.as_json()
    json.dumps(figures, allow_nan=False)
    end = figures["end_to_end"]
    assert min(end[name] for name in ("ratio_over_reference", "fraction_of_peak")) > 0
    assert end["peak_memory_gib"] > 0.05
    assert end["close_calls_decided_in_fp32"] == 0  # of random networks set apart
    assert min(figures["peaks"][f"{kind}_gflops"] for kind in ("fp32", "bf16")) > 0
    assert figures["machine"]["cores"] >= 1


def test_stages_cover_the_whole_work(found):
    precisions = {stage.name: stage.precision for stage in found.stages}
    assert set(VICTIMS) <= set(precisions)
    assert {"SSIM", "LPIPS", "writing rows"} <= set(precisions)
    assert precisions["generator"] == precisions["residual estimate (shared)"] == "fp32"
    assert precisions["img-resnet12"] == "bf16"
    assert all(stage.fraction_of_peak > 0 for stage in found.stages if stage.gflop is not None)


def test_tables(found):
    assert "times the reference" in found.tables("md")
    assert "GiB" in found.tables("md")
    assert json.loads(found.tables("json")) == found.as_json()
    assert all("generator" in found.tables(format_) for format_ in ("md", "csv", "tex"))


def test_figures_of_another_load_are_not_replaced(found, tmp_path):
    path = tmp_path / "perf.json"
    require_same_load(path, LOAD)
    write_json(path, found.as_json())
    require_same_load(path, LOAD)
    with pytest.raises(CamobenchError, match="choose another name"):
        require_same_load(path, replace(LOAD, images=3))
    path.write_text("mine")
    with pytest.raises(CamobenchError, match="choose another name"):
        require_same_load(path, LOAD)


def times(*seconds):
    return Times(seconds=seconds, transforms=20, peak_memory_gib=1.5, batch=4)


def test_ratios_are_per_transform():
    end = EndToEnd(
        load=Load(image_px=64, images=10, targets=2, attack="a", victims=("v",)),
        cost=Cost(generator=10, front_ends=6, backbones={"v": 4}),
        reference=Times(seconds=(8, 4, 6), transforms=4, peak_memory_gib=1, batch=4),
        scoring={"mixed": times(5, 9, 4), "fp32": times(10)},
        peaks=Peaks(fp32_gflops=100, bf16_gflops=800, copy_gb_s=1, fp32_side=2048, bf16_side=512),
    )
    assert end.reference.s_per_transform == 1.5
    assert end.scoring["mixed"].s_per_transform == 0.25
    assert (end.ratio("mixed"), end.ratio("fp32")) == (6, 3)
    assert end.fraction_of_peak("mixed") == pytest.approx(20 / 0.25 / 800)


def test_a_workbench_is_built_once(tmp_path):
    load = Load(
        image_px=64, images=3, targets=2, attack="cgan-img", victims=tuple(VICTIMS), recipe="smoke"
    )
    bench = Workbench(load=load, root=tmp_path / "store").build()
    weights = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    assert len(weights) == len(VICTIMS) + 2  # the attack, and the residual estimator of Set-A
    assert list(bench.suite.manifest("C")["model"]) == list(load.classes)
    Workbench(load=load, root=tmp_path / "store").build()
    assert {path: path.stat().st_mtime_ns for path in weights} == weights
    cost = end_to_end.count_cost(bench)
    assert min([cost.generator, cost.front_ends, *cost.backbones.values()]) > 0


def test_a_child_is_another_process():
    assert peaks.in_child(divmod, 7, 3) == (2, 1)
