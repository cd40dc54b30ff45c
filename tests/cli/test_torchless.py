"""Verbs that compute nothing import neither torch nor timm, in a process of their own."""

import json
import subprocess
import sys

RUN = """
import json
import sys
import camobench
for line in json.loads(sys.stdin.read()):
    sys.argv = ["camobench", *line]
    try:
        camobench.main()
    except SystemExit as end:
        assert not end.code, line
    assert not {"torch", "timm"} & set(sys.modules), line
"""
LINES = (
    "--help",
    "--version",
    "list attacks",
    "list victims",
    "list suites",
    "list recipes",
    "table {out}",
    "cards {out}",
    "compare {out} cgan-img jpeg",
    "verify {out}",
    "leaderboard {out} --out {new}",
)


def test_verbs_that_compute_nothing_are_light(smoke, tmp_path):
    places = {"out": smoke.out, "new": tmp_path / "board"}
    lines = [[word.format(**places) for word in line.split()] for line in LINES]
    command = [sys.executable, "-c", RUN]
    done = subprocess.run(command, input=json.dumps(lines), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
