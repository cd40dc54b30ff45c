"""`camobench perf` at its smallest; the figures mean nothing."""

import json
from dataclasses import replace

import pytest

from bench.perf import peaks, session, timing
from bench.perf.peaks import Peaks
from bench.perf.session import make_stream_load, measure, require_same_load, stream
from bench.perf.timing import Times, compare
from bench.perf.workbench import Cost, Load
from bench.store import write_json
from bench.types import SILENT, CamobenchError
from tests.smoke import CPU, VICTIMS, Watcher

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


@pytest.fixture(scope="module", autouse=True)
def here():
    """In this process, without what children are for, and with small matrices."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "in_child", lambda work, *arguments: work(*arguments))
        for module in (timing, session):
            patch.setattr(module, "keep_freed_memory", lambda: True)
        patch.setitem(peaks.MOST_SIDE, "cpu", 512)
        patch.setitem(peaks.COPY_BYTES, "cpu", 2**22)
        yield


@pytest.fixture(scope="module")
def found(here, tmp_path_factory):
    return measure(LOAD, CPU, tmp_path_factory.mktemp("store"), SILENT)


def test_stable_keys(found):
    figures = found.figures
    json.dumps(figures, allow_nan=False)
    end = figures["end_to_end"]
    assert min(end[name] for name in ("ratio_over_reference", "fraction_of_peak")) > 0
    assert end["peak_memory_gib"] > 0.05
    assert end["close_calls_decided_in_fp32"] == 0  # of random networks set apart
    assert min(figures["peaks"][f"{kind}_gflops"] for kind in ("fp32", "bf16")) > 0
    assert figures["machine"]["cores"] >= 1


def test_stages_cover_the_whole_work(found):
    rows = {row["stage"]: row for row in found.figures["stages"]}
    assert {*VICTIMS, "SSIM", "LPIPS", "writing rows"} <= set(rows)
    for name in ("generator", "residual estimate (shared)"):
        assert rows[name]["precision"] == "fp32"
    assert rows["img-resnet12"]["precision"] == "bf16"
    counted = {name for name, row in rows.items() if row["% of peak"] is not None}
    assert counted == {"generator", "residual estimate (shared)", *VICTIMS}


def test_tables(found):
    assert "times the reference" in found.shown("md")
    assert "GiB" in found.shown("md")
    assert json.loads(found.shown("json")) == found.figures
    assert all("generator" in found.shown(format_) for format_ in ("md", "csv", "tex"))


def test_figures_of_another_load_are_not_replaced(found, tmp_path):
    path = tmp_path / "perf.json"
    require_same_load(path, LOAD)
    write_json(path, found.figures)
    require_same_load(path, LOAD)
    with pytest.raises(CamobenchError, match="choose another name"):
        require_same_load(path, replace(LOAD, images=3))
    path.write_text("mine")
    with pytest.raises(CamobenchError, match="choose another name"):
        require_same_load(path, LOAD)


def times(*seconds):
    return Times(seconds=seconds, transforms=20, peak_memory_gib=1.5, batch=4)


def test_ratios_are_per_transform():
    end = compare(
        Load(image_px=64, images=10, targets=2, attack="a", victims=("v",)),
        Cost(generator=10, front_ends=6, backbones={"v": 4}),
        Peaks(fp32_gflops=100, bf16_gflops=800, copy_gb_s=1, fp32_side=2048, bf16_side=512),
        Times(seconds=(8, 4, 6), transforms=4, peak_memory_gib=1, batch=4),
        {"mixed": times(5, 9, 4), "fp32": times(10)},
    )
    assert end["reference_seconds_per_transform"] == 1.5
    assert end["seconds_per_transform"] == 0.25
    assert (end["ratio_over_reference"], end["ratio_over_reference_fp32"]) == (6, 3)
    assert end["fraction_of_peak"] == pytest.approx(20 / 0.25 / 800)


def test_a_stream_continues_and_tells_time_and_memory_of_every_shard(tmp_path):
    load = replace(LOAD, images=40, targets=2)
    with pytest.raises(KeyboardInterrupt):
        stream(load, CPU, tmp_path, Watcher(stop=1, label="scoring"))
    kinds = ("checkpoints/*/*/*.safetensors", "predictions/*/*/*.parquet")
    times = {p: p.stat().st_mtime_ns for kind in kinds for p in tmp_path.glob(kind)}
    # The attack, the victims and their residual estimator; then a shard of each victim.
    assert len(times) == 2 + len(load.victims) + 1 + len(load.victims)
    found = stream(load, CPU, tmp_path, SILENT)
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
    shards = found.figures["shards"]
    assert [shard["transforms"] for shard in shards] == [64, 80]
    for shard in shards:
        assert shard["cpu_s_per_transform"] > 0
        assert 0 < shard["s_per_transform"] < 10
        assert 0.05 < shard["memory_gib"] < 64
    assert found.figures["plan"]["images"] == 40
    assert json.loads(found.shown("json")) == found.figures
    assert "transforms so far" in found.shown("md")


def test_the_paper_s_row_has_6600_transforms():
    load = make_stream_load(6600)
    assert (load.transforms, load.images, load.image_px, len(load.victims)) == (6600, 1320, 512, 15)
    assert load.recipe == "smoke"
    assert make_stream_load(100, 64).transforms == 100


def test_a_child_is_another_process():
    assert peaks.in_child(divmod, 7, 3) == (2, 1)
