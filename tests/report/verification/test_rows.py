"""Cells and images of a run's rows."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bench.records.entry import Evaluated
from bench.records.frames import images_digest, images_of, same_distortion
from bench.report.verification.rows import cell_problems, check_images, wanted_cells

CLASSES = ("a", "b", "c")


def suite(evaluated=None):
    """An entry, as far as it states a suite."""
    return SimpleNamespace(suite=SimpleNamespace(classes=CLASSES, evaluated=evaluated))


@pytest.fixture
def images():
    names = ["image_id", "photo_id", "scene", "device", "source", "split"]
    return pd.DataFrame(
        [("i1", "i1", "s", "a-0", "a", "in"), ("i2", "i2", "s", "x-0", "x", "out")], columns=names
    )


def rows(*cells):
    return pd.DataFrame(cells, columns=["image_id", "target"]).astype({"target": "string"})


def test_every_target_but_the_source_is_wanted(images):
    wanted = wanted_cells(images, CLASSES, targeted=True)
    assert [*wanted.itertuples(index=False, name=None)] == [
        *(("i1", "b"), ("i1", "c"), ("i2", "a"), ("i2", "b"), ("i2", "c"))
    ]
    untargeted = wanted_cells(images, CLASSES, targeted=False)
    assert [*untargeted.itertuples(index=False, name=None)] == [("i1", ""), ("i2", "")]
    assert cell_problems(rows(("i1", None)), untargeted) == ["1 row missing: i2"]


@pytest.mark.parametrize("of", [{}, {"victim": "v"}])
def test_missing_surplus_and_doubled_cells_are_named(images, of):
    wanted = wanted_cells(images, CLASSES, targeted=True).assign(**of)
    assert cell_problems(wanted, wanted) == []
    spoilt = rows(("i1", "b"), ("i1", "b"), ("i1", "a"), ("i2", "b"), ("i2", "c")).assign(**of)
    where = " (v)" if of else ""
    assert cell_problems(spoilt, wanted) == [
        f"2 rows missing{where}: i1 to c, i2 to a",
        f"1 row surplus{where}: i1 to a",
        f"1 row there twice{where}: i1 to b",
    ]
    assert "missing" not in str(cell_problems(spoilt, wanted.assign(optional=True)))


def test_what_counts_as_the_same(images):
    assert images_digest(images) == images_digest(images[::-1])
    assert images_digest(images) != images_digest(images.assign(device=["a-1", "x-0"]))
    found = same_distortion(np.array([0.5, 0.5, 0.0]), np.array([0.504, 0.506, 0.0002]))
    assert found.tolist() == [True, False, False]


def test_images_that_contradict_themselves(images):
    assert check_images(images, suite()).finding.startswith("1 in, 1 out")
    torn = images_of(images, images.assign(device=["a-1", "x-0"]))
    assert "split change: i1" in check_images(torn, suite()).finding
    swapped = check_images(images.assign(split=["out", "out"]), suite())
    assert (swapped.verdict, "contradict each other: i1" in swapped.finding) == ("fail", True)


def test_images_are_those_that_the_entry_states(images):
    stated = Evaluated(images=2, sha256=images_digest(images))
    assert check_images(images, suite(evaluated=stated)).verdict == "ok"
    short = check_images(images[1:], suite(evaluated=stated))
    assert short.finding == "Set-C has 2 images, the rows are of 1, or of others"
