from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from bench.contract import ATTACKS as ATTACKS_KNOWN
from bench.plan.measures.detect import detect_run
from bench.plan.request import evaluate_run
from bench.records.load import load_run
from bench.report.detection.scores import ALL, ROWS, detections
from bench.suites.catalogue import load_suite
from bench.types import SILENT
from tests.smoke import ATTACKS, SUITE, VICTIMS, Smoke, Watcher, request
from tests.toy_run import edit_json

CRUDE = "gaussian-blur"


@pytest.fixture(scope="module")
def blurred(smoke, tmp_path_factory):
    """The smallest run with a crude attack beside its own; read it, never write to it."""
    root = tmp_path_factory.mktemp("blurred")
    store = smoke.copy(root).store
    asked = request(attacks=(*ATTACKS, CRUDE), victims=VICTIMS[:1])
    return Smoke(store, evaluate_run(asked, store, root / "out").directory)


@pytest.fixture
def copied(blurred, tmp_path):
    return blurred.copy(tmp_path)


@pytest.fixture(scope="module")
def detected(blurred, tmp_path_factory):
    """The same with its scores; read it, never write to it."""
    found = blurred.copy(tmp_path_factory.mktemp("detected"))
    assert detect(found) == {}
    return found


def detect(run, progress=SILENT, **more):
    quality = more.pop("quality_percent", 90)
    asked = {"quality_percent": quality, "workers": 1} | more
    return detect_run(run.out, run.store, progress, **asked)


def measured(run):
    return {
        path: path.stat().st_mtime_ns
        for path in (run.store.root / "predictions").glob("*/features/*.parquet")
    }


def by_regime(run, attack):
    found = detections(load_run(run.out))
    return {one.regime: one for one in found if (one.attack.name, one.split) == (attack, "in")}


def test_doing_nothing_is_not_detected_and_a_blur_is(detected):
    for one in by_regime(detected, "identity").values():
        for figures in one.by.values():
            auc, (low, high) = figures.auc
            assert low <= 0.5 <= high
            assert auc == 0.5
            assert figures.tpr[0] == 0
    assert by_regime(detected, CRUDE)["known"].by[ALL].auc[0] > 0.95


@pytest.mark.parametrize("quality", [None, 90])
def test_untouched_images_get_the_last_save_too(copied, detected, quality):
    """The scores of what changes nothing are those of the originals, image by image."""
    if quality is None:
        detect(copied, quality_percent=None)
    rows = pd.read_parquet((detected if quality else copied).out / ROWS)
    assert list(rows["quality_percent"].fillna(0).unique()) == [quality or 0]
    mine = rows[rows["attack"] == "identity"].set_index(["image_id", "detector", "regime"])
    before, after = (mine.loc[mine["treated"] == one, "score"] for one in (False, True))
    pd.testing.assert_series_equal(before, after.reindex(before.index))
    known = rows[(rows["attack"] == CRUDE) & (rows["regime"] == "known")]
    assert known.loc[known["treated"], "score"].mean() > known["score"].mean()


def test_interrupted_it_continues_and_writes_the_same_bytes(copied, detected):
    with pytest.raises(KeyboardInterrupt):
        detect(copied, Watcher(stop=2, label="images"))
    files = measured(copied)
    assert len(files) == 2
    assert not (copied.out / ROWS).exists()
    for workers in (1, 2):  # the second time, nothing is missing
        detect(copied, workers=workers)
        assert files.items() <= measured(copied).items()
        assert (copied.out / ROWS).read_bytes() == (detected.out / ROWS).read_bytes()
        files = measured(copied)
    assert len(files) == len(ATTACKS) + 2


def test_scores_of_photographs_whose_folder_was_moved_have_its_new_name(copied, detected, tmp_path):
    before = pd.read_parquet(detected.out / ROWS)
    moved = SimpleNamespace(rows=(source := load_suite(SUITE)).rows, count=source.count)
    moved.card = replace(source.card, name="moved")
    asked = request(source=moved, attacks=(*ATTACKS, CRUDE), victims=VICTIMS[:1])
    assert detect(copied) == {}
    out = evaluate_run(asked, copied.store, tmp_path / "moved").directory
    assert detect(Smoke(copied.store, out)) == {}
    after = pd.read_parquet(out / ROWS)
    pd.testing.assert_frame_equal(after, before.assign(suite="moved"))


def test_an_attack_with_other_weights_is_left_out_and_named(copied):
    path = copied.out / "entry-cgan-img.json"
    edit_json(path, lambda entry: entry["attack"].update(digest="0" * 64))
    assert "weights" in detect(copied)["cgan-img"]
    assert set(pd.read_parquet(copied.out / ROWS)["attack"]) == {"jpeg", "identity", CRUDE}


def test_an_attack_that_is_another_by_now_is_left_out_untrained(copied, own_registries):
    entry = ATTACKS_KNOWN.get("cgan-img")
    newer = replace(entry, spec=replace(entry.spec, version=2))
    ATTACKS_KNOWN._entries["cgan-img"] = newer
    assert "another network" in detect(copied)["cgan-img"]
    assert len(list(copied.store.root.glob("checkpoints/attack/*"))) == 1


def test_an_attack_that_fails_is_left_out_and_the_others_stand(copied, monkeypatch):
    monkeypatch.setattr("attacks.controls.Jpeg.transform", lambda *_: 1 / 0)
    assert "ZeroDivisionError" in detect(copied)["jpeg"]
    assert set(pd.read_parquet(copied.out / ROWS)["attack"]) == {"cgan-img", "identity", CRUDE}
