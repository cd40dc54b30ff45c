from pathlib import Path

import numpy as np
import pytest

from bench.suites.base import prepare
from bench.suites.catalogue import load_suite
from bench.suites.dresden.source import DresdenSource
from bench.types import CamobenchError
from tests.suites.dresden.test_source import few, write


@pytest.fixture
def made(tmp_path):
    return DresdenSource(write(tmp_path / "copy", few()), partial=True)


def test_the_one_prepared_suite_is_found_without_its_photographs(store, made):
    suite = prepare(made, store, ("A", "B", "C"))
    found = load_suite("dresden-v1", store=store.root)
    assert found.card == made.card
    for name in "ABC":
        assert found.count(name) == made.count(name)
        for (one, pixels), (other, expected) in zip(
            found.rows(name, 1), made.rows(name, 1), strict=True
        ):
            assert one == other
            np.testing.assert_array_equal(pixels, expected)
    assert prepare(found, store, ("A", "B", "C")).folder == suite.folder


def test_several_are_prepared(store, made, tmp_path):
    prepare(made, store, ("C",))
    other = DresdenSource(write(tmp_path / "more", few(4)), partial=True)
    prepare(other, store, ("C",))
    with pytest.raises(CamobenchError, match=r"2 suites called dresden-v1 .* --root DIR"):
        load_suite("dresden-v1", store=store.root)


def test_a_set_that_was_not_made_is_named(store, made):
    prepare(made, store, ("A",))
    found = load_suite("dresden-v1", store=store.root)
    assert found.count("A")
    with pytest.raises(CamobenchError, match=r"Set-B of dresden-v1 .* data prepare.*--root"):
        prepare(found, store, ("A", "B"))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("dresden-v1", {"root": "x", "classes": "a"}, "takes root, partial, got classes"),
        ("dresden-v1", {}, "dresden-v1 is not in the store.*--root DIR"),
        ("dresden-v1", {"partial": True}, "--partial .* goes with --root"),
        ("folder:x", {"root": "x", "partial": True}, "folder:DIR takes .*, got root, partial"),
        ("simcam-mini-v2", {"root": "x"}, "simcam-mini-v2 takes no options, got root"),
        ("dresden", {}, "unknown suite 'dresden': did you mean dresden-v1"),
        ("folder:", {}, "unknown suite 'folder:'.*`folder:DIR` reads photographs of your own"),
    ],
)
def test_options_that_a_suite_does_not_take(name, options, message):
    with pytest.raises(CamobenchError, match=message):
        load_suite(name, **options)


def test_a_folder_below_somebodys_home():
    assert load_suite("folder:~/x").root == Path.home() / "x"
    assert load_suite("folder:~nobody-of-this-name/x").root == Path("~nobody-of-this-name/x")
