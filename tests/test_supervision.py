"""What cannot be caught inside of a process: through the real command line, on the smallest run."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from bench import supervision
from bench.records.load import load_run
from tests.plugins import write
from tests.smoke import SUITE

pytestmark = pytest.mark.skipif(
    sys.platform not in ("linux", "darwin"), reason="needs processes that can be forked"
)
MAIN = """
import bench.supervision as supervision
supervision.GRACE_S = 0.5
supervision.LAST_WORDS_S = 1.0
from camobench import main
main()
"""
DEADLY = """
    import ctypes
    import os
    import signal

    import camobench


    def stuck(images):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        while True:
            ctypes.CDLL(None).pause()


    def attack(title, behaviour):
        spec = camobench.AttackSpec(name=title, targeted=False)
        transform = lambda self, images, targets: behaviour(images)
        return type(title, (camobench.Attack,), {"spec": spec, "transform": transform})


    class Deadly(camobench.Victim):
        spec = camobench.VictimSpec(name="deadly")

        def fit(self, data, context):
            ctypes.string_at(0)

        def logits(self, images):
            return images.mean((2, 3))


    if os.environ.get("LEAVE_AT_IMPORT"):
        os._exit(0)
    LEAVING = attack("leaving", lambda images: os._exit(0))
    KILLED = attack("killed", lambda images: os.kill(os.getpid(), signal.SIGKILL))
    STUCK = attack("stuck", stuck)
"""


def camobench(*arguments, store, cwd):
    environment = {**os.environ, "CAMOBENCH_STORE": str(store)}
    return subprocess.run(
        [sys.executable, "-c", MAIN, *map(str, arguments)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )


def test_the_rest_of_the_matrix_outlives_its_process(smoke_copy, tmp_path):
    path = write(tmp_path / "deadly.py", DEADLY)
    attacks = [f"{path}:{name}" for name in ("LEAVING", "KILLED", "STUCK")]
    done = camobench(
        *("run", "--suite", SUITE, "--recipe", "smoke", "--from-scratch", "--workers", 1),
        *("--attacks", ",".join([*attacks, "jpeg"]), "--cell-timeout", 5, "--quiet"),
        *("--victims", f"img-resnet12,{path}:Deadly", "--out", "out", "--device", "cpu"),
        store=smoke_copy.store.root,
        cwd=tmp_path,
    )
    assert done.returncode == 1, done.stderr
    run = load_run(tmp_path / "out")
    assert set(run.predictions["attack"]) == {"jpeg", "identity"}
    assert set(run.predictions["victim"]) == {"img-resnet12"}
    reasons = {attack: run.failed[attack, "img-resnet12"] for attack in ("leaving", "killed")}
    assert reasons["leaving"].reason == "ended the process (exit code 0)"
    assert "signal 9, SIGKILL: most likely out of memory" in reasons["killed"].reason
    stuck = run.failed["stuck", "img-resnet12"]
    assert stuck.reason == "took longer than 5 s and could not be interrupted"
    assert "in stuck" in (tmp_path / "out" / stuck.log).read_text()
    deadly = run.failed["jpeg", "deadly"]
    assert deadly.who == "victim deadly (Set-A)"
    assert "SIGSEGV" in deadly.reason
    assert "string_at" in (tmp_path / "out" / deadly.log).read_text()
    assert "attack killed ended the process" in done.stderr
    assert "cells failed" in done.stderr


def test_check_fails_what_leaves(tmp_path):
    path = write(tmp_path / "deadly.py", DEADLY)
    done = camobench("check", f"{path}:LEAVING", "--quiet", store=tmp_path / "store", cwd=tmp_path)
    assert done.returncode == 1
    (line,) = (line for line in done.stdout.splitlines() if "| fail" in line)
    assert line.startswith("| range ")
    assert "ended the process (exit code 0)" in line


@pytest.mark.parametrize("verb", ["check", "run"])
def test_a_file_that_leaves_as_it_is_imported_is_named(tmp_path, monkeypatch, verb):
    monkeypatch.setenv("LEAVE_AT_IMPORT", "1")
    path = write(tmp_path / "deadly.py", DEADLY)
    words = {"check": ["check"], "run": ["run", "--suite", SUITE, "--attack"]}[verb]
    done = camobench(*words, f"{path}:LEAVING", store=tmp_path / "store", cwd=tmp_path)
    assert done.returncode == 1
    said = "error: deadly.py ended the process (exit code 0) as it was imported; mend it"
    assert done.stderr.splitlines()[-1] == said


SMALL = """
import json, os, signal, sys, time
import bench.supervision as supervision
supervision.supervise()
if supervision._page is None:
    sys.exit("not supervised")
"""


def small(text):
    return subprocess.run(
        [sys.executable, "-c", SMALL + text], capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("code", [0, 3, 130])
def test_exit_codes_and_streams_are_the_childs(code):
    done = small(f"print('out'); print('err', file=sys.stderr); sys.exit({code})")
    assert (done.returncode, done.stdout, done.stderr) == (code, "out\n", "err\n")


def test_who_dies_at_nobodys_hands_is_not_started_again():
    done = small("print('once', flush=True); os.kill(os.getpid(), signal.SIGKILL)")
    assert (done.returncode, done.stdout) == (1, "once\n")
    assert "error: the run ended the process (signal 9" in done.stderr


def test_each_one_is_lost_once_and_then_raises():
    done = small(
        "try:\n"
        "    with supervision.at_work('attack a', 'here', None): os._exit(7)\n"
        "except supervision.EndedProcessError as error: print(error.reason)\n"
    )
    assert (done.returncode, done.stdout) == (0, "ended the process (exit code 7)\n")
    assert done.stderr == "attack a here ended the process (exit code 7); going on without\n"


def test_a_block_inside_another_is_due_with_it(monkeypatch):
    page = SimpleNamespace(told=[], tell=lambda work: page.told.append(work))
    monkeypatch.setattr(supervision, "_page", page)
    with supervision.at_work("victim v", "", 5.0):
        with supervision.at_work("victim v", "as it is built", 600.0):
            pass
        with supervision.at_work("victim v", "as it is counted", 1.0):
            pass
    limits = [work and work.limit_s for work in page.told]
    assert limits == [5.0, 5.0, 5.0, 1.0, 5.0, None]
    assert page.told[1].due == page.told[0].due > page.told[3].due


def test_an_interruption_counts_once():
    done = small(
        "from types import SimpleNamespace\n"
        "supervision.time = SimpleNamespace(monotonic=lambda: 5.0)  # however long it takes\n"
        "time.sleep(1)  # until the parent listens\n"
        "seen = 0\n"
        "for number in range(3):\n"
        "    try:\n"
        "        os.kill(os.getppid() if number else os.getpid(), signal.SIGINT)\n"
        "        time.sleep(0.2)\n"
        "    except KeyboardInterrupt: seen += 1\n"
        "print(seen)\n"
    )
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def test_the_child_does_not_outlive_its_parent():
    done = small(
        "print('begun', flush=True); "
        "os.kill(os.getppid(), signal.SIGKILL); time.sleep(30); print('alive')"
    )
    assert (done.returncode, done.stdout) == (-9, "begun\n")


def test_nothing_is_forked_where_threads_may_run():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import threading\n"
            "threading.Thread(target=threading.Event().wait, daemon=True).start()\n" + SMALL,
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (1, "not supervised\n")
