"""Cells and images of a run's rows."""

from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bench.records.entry import Evaluated
from bench.records.frames import images_digest, images_of, images_told, same_distortion
from bench.report.verification.rows import cell_problems, check_images, wanted_cells
from bench.suites.catalogue import SIMULATED, load_suite
from bench.suites.simcam.plan import plan

CLASSES = ("a", "b", "c")


def suite(classes=CLASSES, fingerprint="f", evaluated=None):
    """An entry, as far as it states a suite."""
    stated = None if evaluated is None else Evaluated(**evaluated)
    found = SimpleNamespace(classes=classes, fingerprint=fingerprint, evaluated=stated)
    return SimpleNamespace(suite=found)


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


@pytest.mark.parametrize("spec", SIMULATED.values(), ids=SIMULATED)
def test_the_images_of_simulated_suites_are_known(spec):
    rows = plan(spec, "C")
    source = load_suite(spec.name)
    if source.card.real:  # they come after the suite's own
        rows += [row for row, _ in source.rows("C", 1, len(rows))]
    images = images_told(pd.DataFrame(map(asdict, rows)))
    known = (spec.models_in, source.card.fingerprint)
    assert check_images(images, suite(*known)).verdict == "ok"
    short = check_images(images[1:], suite(*known, {"images": 1, "sha256": "0"}))
    assert short.finding == (
        f"Set-C has {len(images):,} images, the rows are of {len(images) - 1}, or of others"
    )
