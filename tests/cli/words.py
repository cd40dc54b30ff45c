"""What the tests of the command line share."""

import click

from bench import cli

SMALL = ["--suite", "simcam-smoke-v2", "--recipe", "smoke", "--device", "cpu"]
SCRATCH = [*SMALL, "--from-scratch"]


def one_line(err):
    assert err.startswith("error: ")
    assert err.count("\n") == 1, err
    return err


def parse(words):
    """Let the command line understand words, from `camobench` on; it raises where it cannot."""
    command, context, rest = cli.cli, None, words[1:]
    while isinstance(command, click.Group):
        name, *rest = rest
        context = click.Context(command, info_name=name, parent=context)
        command = command.commands[name]
    command.make_context(command.name, rest, parent=context)
