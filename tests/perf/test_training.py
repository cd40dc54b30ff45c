import statistics

import numpy as np
import pytest
import torch
from PIL import Image

from bench.contract import VICTIMS
from bench.perf import training, training_work
from bench.perf.training import Seconds, TrainingThroughput, measure_training, summarise
from bench.perf.training_work import (
    CLASSES,
    LoopSide,
    OurSide,
    Work,
    build_trainees,
    examiner_set,
    spanning,
    trainable_victims,
    training_files,
    write_images,
)
from tests.toys import Recorder

VICTIMS_TIMED = ("img-resnet12", "wdf-densenet40")


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    write_images(folder, image_px=64, per_class=3)
    return Work(
        folder=folder,
        victims=VICTIMS_TIMED,
        recipe="smoke",
        batch=4,
        steps=3,
        image_px=64,
        device="cpu",
    )


def ticking():
    """A clock on which a second passes between two looks."""
    now = iter(range(1000))
    return lambda: float(next(now))


def test_our_victims_are_found_and_the_quick_ones_span_them():
    names = trainable_victims()
    assert len(names) == 15
    quick = [VICTIMS.get(name).spec for name in spanning(names)]
    specs = [VICTIMS.get(name).spec for name in names]
    assert [s.front_end for s in quick] == list(dict.fromkeys(s.front_end for s in specs))
    assert {s.backbone for s in quick} >= {specs[0].backbone, specs[-1].backbone}
    assert len({s.backbone for s in quick}) == 3


def test_both_sides_see_the_same_images(work):
    data = examiner_set(work)
    files, labels = training_files(work, residuals=False)
    trained = data.images[~data.validation]
    assert len(files) == len(trained) == 8
    for path, image in zip(files, trained, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(path)).transpose(2, 0, 1), image)
    np.testing.assert_array_equal(labels, data.labels[~data.validation])
    residuals = np.load(work.folder / training_work.RESIDUALS)[~data.validation]
    for path, residual in zip(training_files(work, residuals=True)[0], residuals, strict=True):
        np.testing.assert_array_equal(np.load(path).transpose(2, 0, 1), residual)


@pytest.fixture
def shown(monkeypatch):
    """Victim and batch of every training step."""
    steps = []
    forward = training_work._Backbone.forward

    def watched(self, features):
        steps.append((self.victim.spec.name, tuple(features.shape), float(features.min()) < 0))
        return forward(self, features)

    monkeypatch.setattr(training_work._Backbone, "forward", watched)
    return steps


def test_both_sides_do_the_same_steps(work, shown):
    ours = OurSide(work)
    loop = LoopSide(work, 0)
    assert len(shown) == 2 * len(VICTIMS_TIMED)  # to warm up
    per_side = []
    for whole_s in (ours.whole_s, loop.whole_s):
        shown.clear()
        assert whole_s() > 0
        per_side.append(sorted(shown))
    assert per_side[0] == per_side[1]
    assert sum(shape[0] for _, shape, _ in per_side[0]) == work.patches == 2 * 3 * 4
    assert {(name, negative) for name, _, negative in per_side[0]} == {
        ("img-resnet12", False),
        ("wdf-densenet40", True),  # a residual, not an image
    }


def test_the_order_of_a_worker_starts_elsewhere(work, shown):
    side = OurSide(work)
    shown.clear()
    side.whole_s(first=1)
    assert [name for name, *_ in shown] == ["wdf-densenet40"] * 3 + ["img-resnet12"] * 3


def test_ours_trains_in_the_precision_of_the_recipe(work):
    fast = Work(**{**vars(work), "recipe": "fast", "victims": ("img-resnet12",)})
    (trainee,) = build_trainees(fast)
    assert (trainee.budget.precision, trainee.budget.width) == ("bf16", 1.0)
    assert (trainee.budget.batch, trainee.budget.steps, trainee.budget.epochs) == (4, 3, None)


def test_start_up_and_first_batch_are_not_timed(work, monkeypatch):
    events = []
    ticks = iter(range(100))

    def clock():
        events.append("clock")
        return float(next(ticks))

    class Batches:
        def __next__(self):
            events.append("batch")
            return torch.rand(4, 3, 64, 64), torch.arange(4) % len(CLASSES)

        def __iter__(self):
            return self

    monkeypatch.setattr(training_work, "patch_loader", lambda *args, **kwargs: Batches())
    seconds = LoopSide(work, 0).whole_s(clock)
    group = ["batch", "clock", *["batch"] * 3, "clock"]
    assert events == group * 2  # image files, then residual files
    assert seconds == 2.0


def test_each_part_is_timed_by_the_clock(work):
    loop, ours = LoopSide(work, 0), OurSide(work)
    assert loop.data_s(ticking()) == 2.0  # two kinds of files
    assert loop.network_s(ticking()) == 1.0
    assert ours.data_s(ticking()) == 2.0  # two victims


def test_rates_and_ratios_follow_from_seconds(work):
    repeats = [
        Seconds(ours=((1.0, 0.25), (3.0, 0.75)), loop=(8.0, 4.0, 6.0)),
        Seconds(ours=((2.0, 0.5), (2.0, 0.5)), loop=(12.0, 4.0, 6.0)),
        Seconds(ours=((2.0, 1.0), (2.0, 1.0)), loop=(6.0, 2.0, 3.0)),
    ]
    found = summarise(work, repeats, loader_workers=5, load=0.5)
    patches = work.patches
    assert found.ours.whole == pytest.approx(2 * patches / 2.0)  # two workers, two seconds
    assert found.ours.data == pytest.approx(2 * patches / 0.5)
    assert found.ours.network == pytest.approx(2 * patches / 1.5)
    assert found.loop.whole == pytest.approx(patches / 8)
    whole = [2 * 8 / 2, 2 * 12 / 2, 2 * 6 / 2]
    assert found.ratio_over_dataloader == pytest.approx(statistics.median(whole))
    assert (found.ratio_lowest, found.ratio_highest) == pytest.approx((6.0, 12.0))
    assert found.ratio_data == pytest.approx(16.0)  # of 16, 16 and 4
    assert found.ratio_network == pytest.approx(8.0)  # of 8, 8 and 6
    assert (found.workers, found.loader_workers, found.repeats) == (2, 5, 3)
    assert (found.width, found.precision, found.load) == (0.125, "fp32", 0.5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_measuring_runs_both_sides_in_processes_of_their_own(monkeypatch):
    monkeypatch.setattr(training, "default_workers", lambda device: 2)
    monkeypatch.setattr(training, "trainable_victims", lambda: VICTIMS_TIMED)
    monkeypatch.setattr(training, "cpu_count", lambda: 1)
    monkeypatch.setattr(training, "REPEATS", 1)
    progress = Recorder()
    found = measure_training(torch.device("cpu"), quick=True, recipe="smoke", progress=progress)
    assert isinstance(found, TrainingThroughput)
    assert min(found.ratio_over_dataloader, found.ours.whole, found.loop.network) > 0
    assert (found.workers, found.loader_workers, found.device) == (2, 1, "cpu")
    assert (progress.total, sum(progress.units), progress.finished) == (2, 2, True)
