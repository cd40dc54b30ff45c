"""No console is a reason to fail: what it cannot show is replaced."""

import io
import os
import subprocess
import sys

import pytest

from bench import cli

VERBS = (
    ["table", "{run}"],
    ["cards", "{run}", "--format", "csv"],
    ["claims", "{run}", "--format", "json"],
    ["table", "{odd}"],
)


def spoken(words, encoding, monkeypatch):
    """Exit code and both outputs, as bytes, of a verb on a console of this encoding."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", ["camobench", *words])
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
    for stream in streams:
        stream.flush()
    return code, *(stream.buffer.getvalue() for stream in streams)


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_a_verb_ends_on_every_console_as_on_utf_8(words, run_dir, tmp_path, monkeypatch):
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xe2\x86\x91")  # no text in any encoding
    words = [word.format(run=run_dir, odd=odd) for word in words]
    code, *spoken_in_full = spoken(words, "utf-8", monkeypatch)
    assert code == (2 if odd in words else 0)
    for encoding in ("cp1252", "cp437", "ascii", "utf-16"):
        got = spoken(words, encoding, monkeypatch)
        assert got[0] == code
        if encoding.startswith("cp"):
            lossy = [text.decode().encode(encoding, "replace") for text in spoken_in_full]
            assert list(got[1:]) == lossy


def test_a_redirected_output_on_windows(run_dir):
    environment = os.environ | {"PYTHONIOENCODING": "cp1252"}
    command = [sys.executable, "-c", "from bench import cli; cli.main()", "table", run_dir]
    done = subprocess.run(command, env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b" ? " in done.stdout
