import os

import pandas as pd
import pytest
from filelock import Timeout

from bench.jobs.scoring.scorer import Scorer
from bench.plan import request as api
from bench.plan.request import evaluate_run, open_session
from bench.store import Store
from bench.types import CamobenchError
from tests.smoke import Watcher, request

TABLES = ("table2", "table3", "victims", "claims")


def test_evaluate_writes_all_that_is_promised(smoke):
    names = {path.name for path in smoke.out.iterdir()}
    assert names == {
        ".camobench.json",
        "predictions.parquet",
        "distortion.parquet",
        "clean_accuracy.csv",
        *(f"{name}.{kind}" for name in TABLES for kind in ("md", "csv", "tex")),
        "report.html",
        "figure3.png",
        "victims.json",
        "victims.html",
        "entry-cgan-img.json",
        "entry-jpeg.json",
        "entry-identity.json",
        "samples",
    }
    accuracy = pd.read_csv(smoke.out / "clean_accuracy.csv")
    assert accuracy.iloc[:, 0].str.contains("resnet12").sum() == 2
    assert "jpeg" in (smoke.out / "table2.md").read_text()


def test_the_second_time_nothing_is_made(smoke_copy, monkeypatch):
    def refuse(*args, **kwargs):
        pytest.fail("something was computed again")

    monkeypatch.setattr("bench.jobs.run.train_network", refuse)
    monkeypatch.setattr(Scorer, "score", refuse)
    monkeypatch.setattr("bench.suites.simcam.source.render", refuse)
    before = {name: (smoke_copy.out / name).read_bytes() for name in ("table2.csv", "table3.csv")}
    for name in before:
        (smoke_copy.out / name).unlink()
    watcher = Watcher()
    evaluate_run(request(), smoke_copy.store, smoke_copy.out, watcher)
    assert watcher.started == ["writing entries and rows", "writing tables and report"]
    assert {name: (smoke_copy.out / name).read_bytes() for name in before} == before


def test_the_clean_control_is_scored_and_leftovers_of_killed_runs_are_swept(smoke_copy, tmp_path):
    leftover = smoke_copy.store.root / "predictions" / "0123" / "stem" / ".00000.parquet.abcd_123"
    leftover.mkdir(parents=True)
    os.utime(leftover, (1e9, 1e9))
    run = evaluate_run(request(attacks=()), smoke_copy.store, tmp_path / "clean")
    assert set(run.predictions["attack"]) == {"identity"}
    assert not (run.directory / "samples").exists()
    assert not leftover.exists()


def test_a_users_folder_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(api, "open_session", lambda *args: pytest.fail("work was begun"))
    (tmp_path / "samples").mkdir()
    with pytest.raises(CamobenchError, match="holds samples, which nothing says"):
        evaluate_run(request(), Store(tmp_path / "store"), tmp_path)


def test_runs_side_by_side_take_turns_in_a_folder_and_lose_nothing_of_each_other(
    smoke_copy, tmp_path
):
    store, out = smoke_copy.store, tmp_path / "shared"

    class Meanwhile(Watcher):
        def start(self, label, total, done=0):
            if label.startswith("scoring") and not out.exists():
                evaluate_run(request(), store, out, Meanwhile())
            if label.startswith("writing"):
                with pytest.raises(Timeout):
                    store.lock_results(out).acquire(timeout=0)

    with pytest.raises(CamobenchError, match="what another command made"):
        evaluate_run(request(attacks=("median",)), store, out, Meanwhile())
    assert set(pd.read_parquet(out / "predictions.parquet")["attack"]) == {*request().attacks}


def test_a_folder_is_the_same_whether_the_whole_attack_is_named_or_not(tmp_path):
    named, unnamed = (request(strengths=asked).made_of(tmp_path) for asked in ((0.5, 1.0), (0.5,)))
    assert named == unnamed


def test_only_the_sets_that_training_needs_are_made(tmp_path):
    session = open_session(request(attacks=()), Store(tmp_path))
    assert len(session.train()) == 3
    made = {path.parent.name for path in tmp_path.rglob("manifest.parquet")}
    assert made == {"A"}
    assert session.train() == []
