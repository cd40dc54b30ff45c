"""Every part of `camobench perf` at its smallest; the figures mean nothing."""

import json
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner

from bench.cli import cli
from bench.perf import (
    agreement,
    children,
    end_to_end,
    incremental,
    peaks,
    scaling,
    session,
    stages,
)
from bench.perf.end_to_end import EndToEnd, ReferenceTimes, RunnerTimes
from bench.perf.flops import Cost
from bench.perf.peaks import Peaks, measure_peaks, seconds_of
from bench.perf.scaling import GROWTH, Point, draw_scaling, fit_laws
from bench.perf.session import (
    PARTS,
    QUICK_PARTS,
    Performance,
    Plan,
    make_plan,
    measure,
    require_same_plan,
    write_performance,
)
from bench.perf.tables import performance_tables
from bench.perf.workbench import Load, Workbench
from bench.store import write_json
from bench.types import CamobenchError, Silent
from tests.smoke import VICTIMS

CPU = torch.device("cpu")
PLAN = Plan(
    image_px=64,
    images=2,
    targets=1,
    reference_images=1,
    repeats=1,
    memory_images=(1, 2),
    parts=("end-to-end", "incremental", "memory", "scaling"),
    quick=True,
    recipe="smoke",
)


@pytest.fixture(scope="module")
def found():
    """Measured in this process, without what children are for."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (end_to_end, incremental, scaling, stages):
            patch.setattr(module, "in_child", lambda work, *arguments: work(*arguments))
        for module in (end_to_end, incremental, stages):
            patch.setattr(module, "keep_freed_memory", lambda: True)
        patch.setattr(scaling, "GROWTH", (1, 2))
        patch.setitem(peaks.MOST_SIDE, "cpu", 512)
        patch.setattr(session, "select_victims", lambda text: list(VICTIMS))
        patch.setattr(session, "memory_at", small_memory)
        patch.setattr(session, "measure_scaling", small_scaling)
        yield measure(PLAN, CPU, Silent())


def test_figures_of_another_plan_are_not_replaced(tmp_path):
    path = tmp_path / "perf.json"
    require_same_plan(path, PLAN)
    peaks = Peaks(fp32_gflops=1, bf16_gflops=1, copy_gb_s=1, fp32_side=1, bf16_side=1)
    write_json(path, Performance(plan=PLAN, peaks=peaks, machine={}).as_json())
    require_same_plan(path, PLAN)
    with pytest.raises(CamobenchError, match="choose another name"):
        require_same_plan(path, replace(PLAN, images=3))
    path.write_text("mine")
    with pytest.raises(CamobenchError, match="choose another name"):
        require_same_plan(path, PLAN)


def small_memory(load, root, device, counts):
    return end_to_end.memory_at(replace(load, image_px=64), root, device, counts)


def small_scaling(base, root, device, repeats, progress):
    base = replace(base, image_px=64, images=1)
    points = scaling.measure_scaling(base, root, device, 1, progress)
    assert {p.axis for p in points} == {"images", "targets", "victims", "side in pixels"}
    return points


def test_stable_keys(found):
    figures = found.as_json()
    assert {
        "ratio_over_reference",
        "fraction_of_peak",
        "peak_memory_gib",
    } <= figures["end_to_end"].keys()
    assert figures["end_to_end"]["ratio_over_reference"] > 0
    assert figures["end_to_end"]["fraction_of_peak"] > 0
    assert figures["peaks"]["fp32_gflops"] > 1
    assert figures["machine"]["cores"] >= 1
    assert [row["images"] for row in figures["memory"]] == [1, 2]
    assert {"column_share", "column_kept_share", "row_share"} <= figures["incremental"].keys()
    assert "training" not in figures
    json.dumps(figures, allow_nan=False)


def test_stages_cover_the_whole_work(found):
    names = [stage.name for stage in found.stages]
    assert set(VICTIMS) <= set(names)
    assert {"generator", "residual estimate (shared)", "SSIM", "writing rows"} <= set(names)
    computed = [stage for stage in found.stages if stage.gflop is not None]
    assert all(stage.fraction_of_peak > 0 for stage in computed)
    precisions = {stage.name: stage.precision for stage in computed}
    assert precisions["generator"] == precisions["residual estimate (shared)"] == "fp32"
    assert precisions["img-resnet12"] == "bf16"


@pytest.mark.parametrize("format_", ["md", "csv", "tex", "json"])
def test_tables(found, format_):
    text = performance_tables(found, format_)
    assert "generator" in text
    if format_ == "md":
        assert "times the reference" in text
        assert "one more victim" in text
        assert "exponent" in text


def test_the_plot_is_written(found, tmp_path):
    write_performance(found, tmp_path)
    assert (tmp_path / "scaling.png").read_bytes().startswith(b"\x89PNG")


def times(*seconds, networks=1.0, peak=1.5):
    return RunnerTimes(
        seconds=seconds,
        opening_s=1,
        networks_gib=networks,
        peak_memory_gib=peak,
        batch=4,
        close_calls=0.0,
    )


def test_ratios_are_per_transform():
    load = Load(image_px=64, images=10, targets=2, attack="a", victims=("v",))
    end = EndToEnd(
        load=load,
        cost=Cost(generator=10, front_ends=6, backbones={"v": 4}),
        reference=ReferenceTimes(seconds=(8, 4, 6), transforms=4, peak_memory_gib=1, tf32=False),
        runner={"mixed": times(5, 9, 4), "fp32": times(10)},
        peaks=Peaks(fp32_gflops=100, bf16_gflops=800, copy_gb_s=1, fp32_side=2048, bf16_side=512),
    )
    assert end.reference_s_per_transform == 1.5
    assert end.seconds_per_transform("mixed") == 0.25
    assert end.ratio("mixed") == 6
    assert end.ratio("fp32") == 3
    assert end.fraction_of_peak("mixed") == pytest.approx(20 / 0.25 / 800)


def test_laws():
    points = [Point(axis="images", value=n, seconds=3.0 * n) for n in GROWTH]
    points += [Point(axis="side in pixels", value=n, seconds=n**2 / 7) for n in (64, 128, 256)]
    images, side = fit_laws(points)
    assert (images.axis, images.smallest, images.largest) == ("images", 1, 8)
    assert images.exponent == pytest.approx(1)
    assert side.exponent == pytest.approx(2)


def test_a_drawing_needs_no_display(tmp_path):
    points = [Point(axis="victims", value=n, seconds=1.0 + n) for n in (1, 2, 4)]
    draw_scaling(points, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 5000


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


def test_random_networks_make_no_close_calls(found):
    assert found.end_to_end.runner["mixed"].close_calls == 0


def test_costs_add_up(tmp_path):
    load = Load(
        image_px=64, images=1, targets=1, attack="cgan-img", victims=tuple(VICTIMS), recipe="smoke"
    )
    bench = Workbench(load=load, root=tmp_path / "store").build()
    cost = end_to_end.count_cost(bench)
    assert cost.backbones.keys() == set(VICTIMS)
    parts = [cost.generator, cost.front_ends, *cost.backbones.values()]
    assert min(parts) > 0
    assert cost.gflop_per_transform == pytest.approx(sum(parts))


def test_the_best_of_repeats_leaves_out_the_first():
    calls = []
    assert len(seconds_of(lambda: calls.append(1), CPU, 3)) == 3
    assert len(calls) == 4


def test_peaks_are_of_this_machine(monkeypatch):
    monkeypatch.setitem(peaks.MOST_SIDE, "cpu", 256)
    monkeypatch.setitem(peaks.COPY_BYTES, "cpu", 2**22)
    found = measure_peaks(CPU)
    assert found.of("bf16") == found.bf16_gflops > 0
    assert found.of("fp32") == found.fp32_gflops > 0
    assert found.copy_gb_s > 0


def test_a_product_is_as_large_as_the_time_allows(monkeypatch):
    asked = []

    def timed(side, dtype, device, repeats):
        asked.append((side, repeats))
        return [side**3 / 1e9]

    monkeypatch.setitem(peaks.MOST_SIDE, "cpu", 2048)
    monkeypatch.setattr(peaks, "_product_s", timed)
    assert peaks._product_gflops(torch.float32, CPU) == (pytest.approx(2), 512)
    assert asked == [(256, 1), (512, 1), (512, 5)]  # 1024 would take longer than a second


def test_a_child_is_another_process():
    assert children.in_child(divmod, 7, 3) == (2, 1)
    assert children.peak_memory_gib(CPU) > 0.05


def test_plans():
    quick, whole = (make_plan(CPU, quick=quick) for quick in (True, False))
    assert quick.parts == QUICK_PARTS
    assert whole.parts == PARTS
    assert (quick.image_px, whole.image_px) == (128, 256)
    assert make_plan(CPU, quick=True, memory_images=(10, 1000)).memory_images == (10, 1000)
    assert make_plan(torch.device("cuda"), quick=False).image_px == 512
    with pytest.raises(CamobenchError, match="unknown part speed of perf; known are end-to-end"):
        Plan(image_px=64, images=1, parts=("speed",))


def test_agreement_is_of_the_networks_that_ship(tmp_path, monkeypatch):
    found = agreement.measure_agreement(
        "cgan-img-wdf-pef", ("img-resnet12", "wdf-densenet40"), tmp_path / "store", CPU, 3
    )
    assert set(found.exact["victim"]) == {"img-resnet12", "wdf-densenet40"}
    assert found.exact["image_id"].nunique() == 3
    assert found.share >= 0.9
    assert not found.exact["p_predicted"].equals(found.reduced["p_predicted"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--memory-images", "10,x"], "expected whole numbers"),
        (["--memory-images", "0"], "at least 1"),
    ],
)
def test_wrong_usage(options, message):
    result = CliRunner().invoke(cli, ["perf", *options])
    assert result.exit_code == 2
    assert message in result.output
