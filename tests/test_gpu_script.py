"""The script for a GPU, `.ci/gpu`: what it asks of the command line, and where it goes on."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.cli.words import parse

SCRIPT = Path(__file__).parents[1] / ".ci" / "gpu"
STAND_IN = f"""#!{sys.executable}
import json, os, pathlib, sys, time

words = sys.argv[1:]
with open(os.environ["ASKED"], "a") as asked:
    asked.write(json.dumps(words) + "\\n")
if "--json" in words:
    pathlib.Path(words[words.index("--json") + 1]).touch()
if "--dry-run" in words:
    print("from scratch on 4 nodes")
    sys.exit("UNTIMED" in os.environ)
if "--out" in words:
    out = pathlib.Path(words[words.index("--out") + 1])
    time.sleep(float(os.environ["TAKES_S"]) if out.name == "run" else 0)
    out.mkdir(exist_ok=True)
    (out / "entry-identity.json").touch()
"""


def test_it_measures_says_what_fits_and_continues_where_it_was_cut(tmp_path):
    out, asked = tmp_path / "out", tmp_path / "asked"
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "camobench"
    command.write_text(STAND_IN)
    command.chmod(0o755)
    path = os.pathsep.join([str(command.parent), os.environ["PATH"]])

    def call(**more):
        asked.write_text("")
        environment = os.environ | {"PATH": path, "ASKED": str(asked)} | more
        done = subprocess.run([SCRIPT, out], env=environment, capture_output=True, text=True)
        lines = [json.loads(line) for line in asked.read_text().splitlines()]
        for words in lines:
            parse(["camobench", *words])
        whats = [words[0] + (" --dry-run" if "--dry-run" in words else "") for words in lines]
        measured = [words for words in lines if str(out / "measured") in words]
        assert all("cgan-img" in words for words in measured)
        assert all("wdf-resnet18,img-densenet100" in words for words in measured)
        return done.returncode, done.stdout + done.stderr, whats

    code, told, whats = call(TAKES_S="60", LIMIT_S="4", UNTIMED="1")
    assert (code, "the same command continues" in told) == (1, True), told
    assert whats == ["data", "perf", "run", "run --dry-run", "run"]
    assert not (out / "plan.txt").exists()
    code, told, whats = call(TAKES_S="60", LIMIT_S="4")  # measures what had not been
    assert (code, whats) == (1, ["data", "run", "run --dry-run", "run"]), told
    assert (out / "plan.txt").read_text() == "from scratch on 4 nodes\n"
    code, told, whats = call(TAKES_S="0")
    assert (code, whats) == (0, ["data", "run --dry-run", "run"]), told
