"""The command line in this process."""

import sys

import pytest

from bench import cli
from tests.cli.words import SMALL


@pytest.fixture
def camobench(monkeypatch, capsys):
    """The command line in this process: exit code, standard output, standard error."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["camobench", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def finished(smoke):
    return ["--store", smoke.store.root, *SMALL]
