"""What the README shows runs as it is written."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from bench import cli

README = Path(__file__).resolve().parent.parent / "README.md"


def blocks(section):
    """All blocks under a heading: the language, or nothing, and the text."""
    text = README.read_text(encoding="utf-8")
    part = re.search(rf"^## {section}$(.*?)(?=^## )", text, re.DOTALL | re.MULTILINE)[1]
    return re.findall(r"^```(\w*)\n(.*?)^```$", part, re.DOTALL | re.MULTILINE)


def shell(section):
    """The commands under a heading, as words."""
    return [
        shlex.split(line)
        for lang, text in blocks(section)
        if not lang
        for line in text.splitlines()
    ]


@pytest.mark.parametrize(
    "words",
    [*shell("Add your classifier")[2:], *shell("At equal distortion, and after a platform's JPEG")],
    ids=" ".join,
)
def test_commands_are_understood_as_they_stand(words, smoke, monkeypatch, capsys):
    """Runs are asked what they would do, the others are run on the smallest finished run."""
    if words[1] == "run":
        words = [*words, "--dry-run", "--quiet"]
    if words[1] in ("curves", "survival"):
        with pytest.raises(SystemExit):  # that run did not ask for it, which is said
            call([*words[:-1], str(smoke.out)], monkeypatch)
        assert re.search(r"run\s+--(strength|recompress) ", capsys.readouterr().err)
        return
    call(words, monkeypatch)
    out = capsys.readouterr().out
    assert re.search(r"^\| (train|score) ", out, re.MULTILINE)


def call(words, monkeypatch):
    monkeypatch.setattr(sys, "argv", words)
    cli.main()


def test_a_challenge_and_its_answers(smoke_copy, tmp_path, monkeypatch):
    """As it is written, but for the suite, the recipe and the victims, which are the smallest."""
    monkeypatch.chdir(tmp_path)
    small = ["--suite", "simcam-smoke-v2", "--recipe", "smoke", "--device", "cpu"]
    small += ["--from-scratch", "--quiet", "--store", str(smoke_copy.store.root)]
    for language, text in blocks("A challenge: images or predictions instead of code"):
        if language == "python":
            subprocess.run([sys.executable, "-c", text], check=True)
            continue
        for line in text.splitlines():
            words = shlex.split(line)
            assert words.pop(0) == "camobench"
            if words[1] == "predictions.csv":
                write_predictions(Path("pictures"), Path(words[1]))
            elif words[0] == "score":
                words += ["--victims", "img-resnet12"]
            monkeypatch.setattr(sys, "argv", ["camobench", *words, *small])
            cli.main()
    sent = pd.read_parquet("my-median/predictions.parquet")
    assert {"my-median", "median", "identity"} <= set(sent["attack"])
    assert len(sent[sent["attack"] == "my-median"]) == len(sent[sent["attack"] == "median"])
    assert Path("camobench-out/column-my-net.md").is_file()


def write_predictions(pictures, path):
    record = json.loads((pictures / "challenge.json").read_text())
    first = record["classes"][0]
    rows = [{"image": image["id"], "predicted": first} for image in record["images"]]
    pd.DataFrame(rows).to_csv(path, index=False)
