"""What a faulty plug-in costs, whoever runs it: its own cells."""

import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial

import pandas as pd
import pytest

from bench.plan.failures import Failures
from bench.plan.names.selection import select_attacks, select_victims
from bench.plan.request import evaluate_run
from bench.report.tables.notes import failed_cells
from bench.verify.rerun import recheck
from tests.plugins import MADE, write
from tests.smoke import SUITE, request, toy_session

pytestmark = pytest.mark.usefixtures("own_registries")

FAULTY = """
    import ctypes
    import os
    import signal

    import torch


    def hang():
        ctypes.CDLL(None).sleep(1000)


    def spoil():
        # as an assertion in a kernel does: from here on nothing works in this process
        def fail(*_, **__):
            raise RuntimeError("CUDA error: device-side assert triggered")

        torch.from_numpy = torch.Tensor.softmax = fail
        fail()


    FAULTS = {
        "raising": lambda: 1 / 0,
        "nan": lambda: float("nan"),
        "leaving": lambda: os._exit(0),
        "quitting": lambda: os._exit(3),
        "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "faulting": lambda: ctypes.string_at(0),
        "hanging": hang,
        "spoiling": spoil,
        "fine": lambda: 1.0,
    }


    def learning(fault):
        return {"fit": lambda self, data, context: (fault(), camobench.FitReport())[1]}


    def faulty(fault):
        return lambda images: fault() * images


    def colour(images):
        return images.mean((2, 3))


    VICTIMS = [victim(n, lambda images, f=f: f() * colour(images)) for n, f in FAULTS.items()]
    LEARNERS = [victim(name, colour, **learning(fault)) for name, fault in FAULTS.items()]
    ATTACKS = [attack(name, faulty(fault)) for name, fault in FAULTS.items()]
"""
REASONS = {
    "raising": "ZeroDivisionError: division by zero",
    "nan": "NaN or infinite",
    "leaving": "ended the process (exit code 0)",
    "quitting": "ended the process (exit code 3)",
    "killed": "ended the process (signal 9, SIGKILL: most likely out of memory)",
    "faulting": "ended the process (signal 11, SIGSEGV)",
    "spoiling": "left its process no usable GPU: "
    "RuntimeError: CUDA error: device-side assert triggered",
}
LIMIT_S = 15.0


@pytest.fixture
def faulty(tmp_path):
    return write(tmp_path / "faulty.py", MADE + FAULTY)


def test_a_faulty_plug_in_costs_its_own_cells(smoke_copy, faulty, tmp_path):
    select_victims(f"{faulty}:VICTIMS")
    select_attacks(f"{faulty}:ATTACKS")
    asked = request(
        attacks=(*REASONS, "fine", "jpeg"),
        victims=(*REASONS, "fine", "img-resnet12"),
        executor="local",
        workers=2,
    )
    run = evaluate_run(asked, smoke_copy.store, tmp_path / "out")
    out = run.directory
    whole = {("fine", "jpeg", "identity"), ("fine", "img-resnet12")}
    assert {tuple(dict.fromkeys(run.predictions[one])) for one in ("attack", "victim")} == whole
    assert run.predictions.groupby(["attack", "victim"]).size().nunique() == 1
    for fault, reason in REASONS.items():
        assert reason in run.failed["jpeg", fault].reason
        assert reason in run.failed[fault, "img-resnet12"].reason
        assert run.failed[fault, "img-resnet12"].who == f"attack {fault}"
        assert (out / run.failed["jpeg", fault].log).read_text()
    for fault, said in (("faulting", "string_at"), ("spoiling", "device-side assert")):
        assert said in (out / run.failed["jpeg", fault].log).read_text()
    assert f"{len(run.failed)} cells failed" in failed_cells(run)


def test_what_hangs_in_c_is_ended_at_its_limit(smoke_copy, faulty, tmp_path):
    select_victims(f"{faulty}:VICTIMS")
    asked = request(
        attacks=(), victims=("hanging", "fine"), executor="local", cell_timeout_s=LIMIT_S
    )
    run = evaluate_run(asked, smoke_copy.store, tmp_path / "out")
    out = run.directory
    assert set(run.predictions["victim"]) == {"fine"}
    assert set(run.failed) == {("identity", "hanging")}
    found = run.failed["identity", "hanging"]
    assert found.reason == f"took longer than {LIMIT_S:g} s and was ended"
    assert " in hang" in (out / found.log).read_text()  # where it was


def test_a_faulty_training_fails_alone(tmp_path, faulty):
    names = select_victims(f"{faulty}:LEARNERS")
    noted = Failures(tmp_path / "failures")
    asked = {"executor": "local", "workers": 2, "fit_timeout_s": LIMIT_S}
    session = toy_session(tmp_path / "store", victims=names, failures=noted, **asked)
    assert {job.name for job in session.train()} == {"fine", "nan"}
    reasons = {session.graph.jobs[key].name: one.reason for key, one in noted.jobs.items()}
    late = {"hanging": f"took longer than {LIMIT_S:g} s and was ended"}
    assert reasons == late | {name: said for name, said in REASONS.items() if name != "nan"}


SCRIPT = """
import os
import sys

import torch

import camobench


class Leaving(torch.nn.Module):
    classes = ["simcam-01", "simcam-02", "simcam-03"]

    def forward(self, images):
        os._exit(5)


net = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
net.classes = Leaving.classes
run = camobench.evaluate(
    suite="simcam-smoke-v2",
    recipe="smoke",
    attacks="jpeg",
    victims=[{"mean": net, "leaving": Leaving()}, "img-resnet12"],
    store=sys.argv[1],
    out=sys.argv[2],
    device="cpu",
    shipped=False,
)
print(sorted(run.failed), {one.reason for one in run.failed.values()})
print(sorted(set(run.predictions["victim"])))
"""


def test_objects_of_a_script_without_a_guard_are_isolated_too(smoke_copy, tmp_path):
    """And its workers import nothing from the folder it is started in."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    write(tmp_path / "here" / "bench" / "__init__.py", "raise SystemExit('a folder of the user's')")
    done = subprocess.run(
        [sys.executable, path, smoke_copy.store.root, tmp_path / "out"],
        cwd=tmp_path / "here",
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "[('identity', 'leaving'), ('jpeg', 'leaving')] {'ended the process (exit code 5)'}",
        "['img-resnet12', 'mean']",
    ]


HANGING = """
    import ctypes
    import os

    import camobench


    class Hanging(camobench.Victim):
        spec = camobench.VictimSpec(name="hanging")

        def logits(self, images):
            os.write(1, b"hanging\\n")  # at once: both workers say it
            ctypes.CDLL(None).sleep(1000)
"""


def alive(parent):
    found = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True)
    pairs = [line.split() for line in found.stdout.splitlines()[1:]]
    family = {str(parent)}
    for _ in pairs:
        family |= {pid for pid, above in pairs if above in family}
    return family - {str(parent)}


def test_ctrl_c_ends_all_workers_at_once(smoke_copy, tmp_path):
    path = write(tmp_path / "hanging.py", HANGING)
    words = ["run", "--suite", SUITE, "--recipe", "smoke", "--from-scratch", "--workers", "2"]
    words += ["--attacks", "jpeg", "--victims", f"{path}:Hanging", "--device", "cpu"]
    words += ["--store", str(smoke_copy.store.root), "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "camobench", *words]
    hearing = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # ignored in a background job
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, preexec_fn=hearing, **pipes) as process:
        assert process.stdout.readline() == b"hanging\n"
        family = alive(process.pid)
        assert family
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert time.monotonic() - began < 10
    assert process.returncode == 130
    while any(os.path.exists(f"/proc/{pid}") for pid in family):
        assert time.monotonic() - began < 15, family
        time.sleep(0.1)


NOISY = """
    import torch

    import camobench


    class Noisy(camobench.Attack):
        spec = camobench.AttackSpec(name="noisy", targeted=False)

        def transform(self, images, targets):
            return images + 0.1 * torch.randn_like(images)
"""


def test_what_is_random_is_the_same_by_any_executor_in_any_batch_and_again(smoke_copy, tmp_path):
    select_attacks(f"{write(tmp_path / 'noisy.py', NOISY)}:Noisy")
    found = []
    for executor, batch in (("inline", 3), ("local", 64)):
        shutil.rmtree(smoke_copy.store.root / "predictions")
        asked = request(attacks=("noisy", "cgan-img"), executor=executor, workers=2, batch=batch)
        found.append(evaluate_run(asked, smoke_copy.store, tmp_path / executor))
    pd.testing.assert_frame_equal(*(run.predictions for run in found), rtol=1e-4, atol=1e-6)
    noisy = [run.distortion.query("attack == 'noisy'") for run in found]
    pd.testing.assert_frame_equal(*noisy, check_exact=True)
    (again,) = recheck(tmp_path / "local", smoke_copy.store, rows=None)[-1:]
    assert (again.check, again.verdict) == ("re-run", "ok")
    assert not any("noisy" in who for run in found for who, _ in run.suspicions)
