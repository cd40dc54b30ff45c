"""Plug-ins that fail cost their own cells, and only these."""

import re
from dataclasses import replace

import pandas as pd
import pytest
import torch

from bench.jobs.outcome import Failed
from bench.plan.evaluate import evaluate
from bench.plan.failures import Failures
from bench.plan.names.selection import select_attacks, select_victims
from bench.plan.request import evaluate_run
from bench.report.tables.paper import build_table, render
from bench.report.verification.folder import verify_folder
from bench.types import CamobenchError
from bench.verdicts import failed
from tests.plugins import FOG, MADE, write
from tests.smoke import SUITE, request, toy_session

pytestmark = pytest.mark.usefixtures("own_registries")

FAULTY = """
    from pathlib import Path

    import torch


    def colour(images):
        return images.mean((2, 3))


    def late(images):
        if images.shape[0]:
            global calls
            calls += 1
            if calls > 1:
                raise KeyError("second batch")
        return colour(images)


    def greedy(images):
        raise torch.OutOfMemoryError("4 GiB wanted")


    def without_weights(self, spec=None, *, classes=(), recipe=None):
        Path("/nowhere/weights.pt").read_bytes()


    def refuse(self, data, context):
        raise RuntimeError("cannot learn")


    def meddle():
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(True)
        torch.set_num_threads(torch.get_num_threads() + 1)


    def meddling(images):
        meddle()
        return colour(images).float()


    def learn_meddling(self, data, context):
        meddle()
        return camobench.FitReport()


    def witness(images):
        if torch.get_default_dtype() != torch.float32 or torch.is_grad_enabled():
            raise RuntimeError("somebody meddles")
        return colour(images)


    calls = 0
    VICTIMS = [
        victim("meddling", meddling, fit=learn_meddling),
        victim("witness", witness),
        victim("fine", colour),
        victim("raising", lambda images: 1 / 0),
        victim("late", late),
        victim("nan", lambda images: colour(images) / 0 * 0),
        victim("narrow", lambda images: colour(images)[:, :1]),
        victim("greedy", greedy),
        victim("unteachable", colour, fit=refuse),
        victim("unloadable", colour, eval=lambda self: 1 / 0),
        victim(
            "bare", colour, __init__=without_weights,
            spec=camobench.VictimSpec(name="bare", residual="wdf"),
        ),
    ]
    ATTACKS = [
        attack("fine", lambda images: 0.9 * images),
        attack("crashing", lambda images: 1 / 0),
        attack("infinite", lambda images: images / 0),
        attack("lazy", lambda images: images, fit=lambda self, data, context: None),
        attack("blank", lambda images: images, __init__=without_weights),
        attack("named", lambda images: 0, hyperparameters={"weights": Path("/nowhere/named.pt")}),
    ]
"""
GONE = ("raising", "late", "nan", "narrow", "greedy", "unteachable", "unloadable", "bare")
REASONS = {
    ("jpeg", "raising"): "ZeroDivisionError: division by zero",
    ("identity", "late"): "KeyError: 'second batch'",
    ("jpeg", "nan"): "NaN or infinite",
    ("jpeg", "narrow"): "expected logits of shape (4, 3), got (4, 1)",
    ("jpeg", "greedy"): "out of memory: 4 GiB wanted",
    ("jpeg", "unteachable"): "RuntimeError: cannot learn",
    ("jpeg", "unloadable"): "ZeroDivisionError: division by zero",
    ("jpeg", "bare"): "victim bare cannot be built: FileNotFoundError",
    ("crashing", "fine"): "ZeroDivisionError: division by zero",
    ("infinite", "img-resnet12"): "NaN or infinite",
    ("lazy", "fine"): "`fit` must return a FitReport, not a NoneType",
    ("blank", "fine"): "'/nowhere/weights.pt'; mend faulty.py:ATTACKS, or leave it out",
    ("named", "fine"): "/nowhere/named.pt",
}


@pytest.fixture
def faulty(tmp_path):
    path = write(tmp_path / "faulty.py", MADE + FAULTY)
    return tuple(select_attacks(f"{path}:ATTACKS")), tuple(select_victims(f"{path}:VICTIMS"))


def settings():
    return torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads()


def test_the_rest_of_the_matrix_completes_and_the_holes_show(smoke_copy, faulty, tmp_path):
    before, (attacks, victims) = settings(), faulty
    ask = request(attacks=(*attacks, "jpeg"), victims=(*victims, "img-resnet12"), batch=4)
    run = evaluate_run(ask, smoke_copy.store, tmp_path / "out")
    assert settings() == before  # whatever plug-ins set
    out = run.directory
    rows = run.predictions
    assert set(rows["attack"]) == {"fine", "jpeg", "identity"}
    assert set(rows["victim"]) == {"fine", "meddling", "witness", "img-resnet12"}
    images = len(rows[(rows["attack"] == "jpeg") & (rows["victim"] == "fine")])
    assert (rows.groupby(["attack", "victim"]).size() == images).all()
    assert set(run.distortion["attack"]) == {"fine", "jpeg", "identity"}

    assert len(run.failed) == 3 * len(GONE) + 5 * len([*victims, "img-resnet12"])
    for (attack, victim), said in REASONS.items():
        found = run.failed[attack, victim]
        assert said in found.reason
        assert found.who.startswith((f"attack {attack}", f"victim {victim}"))
    for one in run.failed.values():
        log = (out / one.log).read_text()
        assert one.reason in log
        assert "Traceback" in log
    assert "faulty.py" in (out / run.failed["jpeg", "raising"].log).read_text()

    text = render(build_table(run, "in"), "md")
    assert re.search(r"^\| crashing .*failed .*failed", text, re.MULTILINE)
    assert re.search(r"^\| jpeg .* \d+\.\d .* failed ", text, re.MULTILINE)
    assert "§ victim raising failed: ZeroDivisionError: division by zero. No " in text
    assert "see failures/attack-crashing.log" in text
    assert failed(verify_folder(out)) == []
    again = verify_folder(out)
    assert {one.verdict for one in again if one.check == "predictions of jpeg"} == {"warn"}


def test_running_again_tries_again_and_scores_nothing_twice(smoke_copy, faulty, tmp_path):
    path, store, out = tmp_path / "faulty.py", smoke_copy.store, tmp_path / "out"
    asked = request(attacks=("jpeg",), victims=("raising", "late", "img-resnet12"), batch=4)
    before = evaluate_run(asked, store, out).predictions

    def mend(old, new):
        path.write_text(path.read_text().replace(old, new))
        select_victims(f"{path}:VICTIMS")  # loads the edited file
        return evaluate_run(asked, store, out)

    run = mend('raise KeyError("second batch")', "pass")
    assert {victim for _, victim in run.failed} == {"raising"}
    assert not (out / "failures" / "victim-late-on-images-of-jpeg.log").exists()
    assert (out / "failures" / "victim-raising-on-images-of-jpeg.log").exists()
    chosen = (
        frame[frame["victim"] == "img-resnet12"].reset_index(drop=True)
        for frame in (before, run.predictions)
    )
    pd.testing.assert_frame_equal(*chosen, check_dtype=False)
    run = mend("lambda images: 1 / 0", "colour")
    assert not run.failed
    assert run.predictions.groupby(["attack", "victim"]).size().nunique() == 1
    assert not (out / "failures").exists()
    assert not list(store.root.rglob("failures/**/*.log"))


def test_when_nothing_is_left_it_says_so(smoke_copy, faulty, tmp_path):
    ask = request(attacks=("jpeg",), victims=("raising",))
    with pytest.raises(CamobenchError, match=r"every cell failed: victim raising \(ZeroDivision"):
        evaluate_run(ask, smoke_copy.store, tmp_path / "out")


def test_what_fails_under_one_condition_fails_its_cell(smoke_copy, tmp_path, monkeypatch):
    text = FOG.replace("import camobench", "import os, camobench", 1)
    path = write(tmp_path / "fog.py", text.replace("0.9", "0.9 / int(os.environ['FOG'])"))
    ask = request(attacks=tuple(select_attacks(f"{path}:Fog")), victims=("img-resnet12",))
    for recompress, works in (((), True), ((), False), ((70,), False), ((70,), True)):
        monkeypatch.setenv("FOG", str(int(works)))  # what no key covers
        for kept in smoke_copy.store.root.rglob("distortion/*.parquet"):
            if not recompress:
                kept.unlink()
        again = replace(ask, recompress=recompress)
        run = evaluate_run(again, smoke_copy.store, tmp_path / "out")
        assert set(run.failed) == ({("fog", "img-resnet12")} if not works else set())
        assert set(run.predictions["attack"]) == {"identity", *(["fog"] if works else [])}
        assert failed(verify_folder(run.directory)) == []


def test_python_warns(smoke_copy, faulty, tmp_path):
    words = {"suite": SUITE, "recipe": "smoke", "device": "cpu", "shipped": False}
    words["executor"] = "inline"
    with pytest.warns(UserWarning, match=r"2 cells failed: .*tracebacks are in .*failures"):
        run = evaluate(
            attacks="jpeg",
            victims=["img-resnet12", "raising"],
            store=smoke_copy.store,
            out=tmp_path / "out",
            **words,
        )
    assert set(run.failed) == {("jpeg", "raising"), ("identity", "raising")}


# trainings


def test_a_training_that_fails_fails_those_that_need_it(tmp_path, monkeypatch):
    def refuse(self, data, context):
        raise RuntimeError(f"no {self.spec.name}")

    monkeypatch.setattr("victims.convnet.ConvNetVictim.fit", refuse)
    noted, asked = Failures(tmp_path / "failures"), (["cgan-img", "cgan-no-laac"], ["img-resnet12"])
    session = toy_session(tmp_path / "store", *asked, failures=noted)
    graph, ran = session.graph, session.train()
    assert [(job.kind, job.name) for job in ran] == [("attack", "cgan-no-laac")]
    reasons = {graph.jobs[key].label: one.reason for key, one in noted.jobs.items()}
    assert reasons["victim img-resnet12 (Set-A)"] == "RuntimeError: no img-resnet12"
    needed = "surrogate img-resnet18 (Set-B) failed: RuntimeError: no img-resnet18"
    assert reasons["attack cgan-img (Set-B)"] == needed
    assert "no img-resnet18" in noted.jobs[graph.attacks["cgan-img"]].log.read_text()
    again = toy_session(tmp_path / "store", *asked, failures=Failures(tmp_path / "failures"))
    assert again.train() == []


# what is noted


def test_a_reason_is_short_and_the_log_has_all_of_it(tmp_path):
    failed = Failed.of(ValueError("much " * 500 + "ado\udc80"))
    failures = Failures(tmp_path)
    failure = [failures.note("victim a", failed) for _ in range(2)][-1]
    assert failures.summary().count("ValueError") == 1
    assert len(failure.reason) == 200
    assert failure.reason.startswith("ValueError: much much")
    assert failure.reason.endswith("…")
    assert "much ado" in failure.log.read_text()
