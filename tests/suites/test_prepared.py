import numpy as np
import pytest

from bench.store import Store
from bench.suites.base import prepare
from bench.suites.catalogue import load_suite
from bench.suites.dresden.protocol import DRESDEN_V1
from bench.suites.dresden.source import DresdenSource
from bench.suites.prepared import find_prepared
from bench.types import CamobenchError
from tests.suites.dresden.test_source import few, write


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


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
        find_prepared("dresden-v1", store)


def test_a_set_that_was_not_made_is_named(store, made):
    prepare(made, store, ("A",))
    found = find_prepared("dresden-v1", store)
    assert found.count("A")
    with pytest.raises(CamobenchError, match=r"Set-B of dresden-v1 .* data prepare dresden-v1 --r"):
        prepare(found, store, ("A", "B"))


def test_options_that_a_suite_does_not_take(tmp_path):
    with pytest.raises(CamobenchError, match="dresden-v1 takes root and partial, got classes"):
        load_suite("dresden-v1", root=tmp_path, classes=["a", "b"])
    with pytest.raises(CamobenchError, match=r"--partial .* goes with --root"):
        load_suite("dresden-v1", partial=True)
    with pytest.raises(CamobenchError, match="folder:DIR takes no root, partial"):
        load_suite("folder:x", root=tmp_path, partial=True)
    with pytest.raises(CamobenchError, match="simcam-mini-v2 takes no options, got root"):
        load_suite("simcam-mini-v2", root=tmp_path)
    assert load_suite("dresden-v1", root=tmp_path, partial=True).partial
    with pytest.raises(CamobenchError, match="unknown suite 'dresden': did you mean dresden-v1"):
        load_suite("dresden")
    assert DRESDEN_V1.name == "dresden-v1"
