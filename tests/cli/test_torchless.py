"""Verbs that compute nothing import neither torch nor timm, in a process of their own."""

import subprocess
import sys

import pytest

RUN = """
import sys
import camobench
sys.argv = ["camobench", *sys.argv[1:]]
try:
    camobench.main()
finally:
    heavy = [name for name in ("torch", "timm") if name in sys.modules]
    print("imported:", *heavy, file=sys.stderr)
"""


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "--version",
        "list attacks --store {store}",
        "list victims",
        "list suites",
        "list recipes",
        "table {out}",
        "cards {out}",
        "compare {out} cgan-img jpeg",
        "verify {out}",
        "leaderboard {out} --out {new}",
    ],
)
def test_verbs_that_compute_nothing_are_light(smoke, tmp_path, words):
    places = {"out": smoke.out, "store": smoke.store.root, "new": tmp_path / "board"}
    line = [word.format(**places) for word in words.split()]
    done = subprocess.run([sys.executable, "-c", RUN, *line], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "imported:"
