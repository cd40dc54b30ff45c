import subprocess

import numpy
import pytest

from bench import provenance as module


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A git checkout of which the module believes to be a part."""
    (tmp_path / "bench").mkdir()
    source = tmp_path / "bench" / "provenance.py"
    source.write_text("pass\n")

    def git(*arguments):
        name = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        command = ["git", "-C", str(tmp_path), *name, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    monkeypatch.setattr(module, "__file__", str(source))
    return source, git("rev-parse", "HEAD")


def test_a_checkout_is_clean_or_dirty_and_without_git_nothing_is_claimed(checkout, monkeypatch):
    source, commit = checkout
    state = module.code_state.__wrapped__
    (source.parent / "notes.txt").touch()  # untracked: no part of the code
    assert state() == (commit, False)
    source.write_text("changed\n")
    assert state() == (commit, True)
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    assert state() == (None, None)


def test_versions_of_all_packages_that_move_numbers():
    versions = module.package_versions()
    assert {"torch", "timm", "pillow", "camobench"} <= versions.keys()
    assert versions["numpy"] == numpy.__version__
