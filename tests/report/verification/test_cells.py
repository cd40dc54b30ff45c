import pandas as pd
import pytest

from bench.report.verification.cells import (
    cell_problems,
    check_images,
    images_digest,
    images_of,
    wanted_cells,
)
from bench.suites.catalogue import SIMULATED, load_suite
from bench.suites.simcam.plan import plan

CLASSES = ("a", "b", "c")
SUITE = {"classes": list(CLASSES), "fingerprint": "f"}


@pytest.fixture
def images():
    names = ["image_id", "photo_id", "device", "source", "split"]
    return pd.DataFrame(
        [("i1", "i1", "a-0", "a", "in"), ("i2", "i2", "x-0", "x", "out")], columns=names
    )


def rows(*cells):
    return pd.DataFrame(cells, columns=["image_id", "target"]).astype({"target": "string"})


def test_every_target_but_the_source_is_wanted(images):
    wanted = list(wanted_cells(images, CLASSES, targeted=True))
    assert wanted == [("i1", "b"), ("i1", "c"), ("i2", "a"), ("i2", "b"), ("i2", "c")]
    assert list(wanted_cells(images, CLASSES, targeted=False)) == [("i1", ""), ("i2", "")]


def test_missing_surplus_and_doubled_cells_are_named(images):
    wanted = wanted_cells(images, CLASSES, targeted=True)
    whole = rows(*wanted)
    assert cell_problems(whole, wanted, "") == []
    spoilt = rows(("i1", "b"), ("i1", "b"), ("i1", "a"), *wanted[2:])
    assert cell_problems(spoilt, wanted, " on v") == [
        "1 row missing on v: i1 to c",
        "1 row surplus on v: i1 to a",
        "1 row there twice on v: i1 to b",
    ]
    untargeted = wanted_cells(images, CLASSES, targeted=False)
    assert cell_problems(rows(("i1", None)), untargeted, "") == ["1 row missing: i2"]


def test_images_that_contradict_themselves(images):
    assert check_images(images, SUITE).finding.startswith("1 in, 1 out")
    torn = images_of(images, images.assign(device=["a-1", "x-0"]))
    assert "change from row to row: i1" in check_images(torn, SUITE).finding
    swapped = check_images(images.assign(split=["out", "out"]), SUITE)
    assert (swapped.verdict, "contradict each other: i1" in swapped.finding) == ("fail", True)


def test_an_image_that_is_missing_everywhere(images):
    known = {"images": 2, "sha256": images_digest(images)}
    suite = SUITE | {"evaluated": known}
    assert check_images(images[::-1], suite).verdict == "ok"
    found = check_images(images[:1], suite)
    assert (found.verdict, "Set-C has 2 images" in found.finding) == ("fail", True)
    assert "the rows are of 1, or of others" in found.finding
    assert check_images(images.replace("i2", "i3"), suite).verdict == "fail"


@pytest.mark.parametrize("spec", SIMULATED.values(), ids=SIMULATED)
def test_the_images_of_simulated_suites_are_known(spec):
    rows = [
        (shot.image_id, shot.image_id, shot.device, shot.model, shot.split)
        for shot in plan(spec, "C")
    ]
    source = load_suite(spec.name)
    if source.card.real:  # they come after the suite's own
        photographs = (row for row, _ in source.rows("C", 1, len(rows)))
        rows += [(r.image_id, r.photo_id, r.device, r.model, r.split) for r in photographs]
    names = ["image_id", "photo_id", "device", "source", "split"]
    images = pd.DataFrame(rows, columns=names)
    suite = {"classes": list(spec.models_in), "fingerprint": source.card.fingerprint}
    assert check_images(images, suite).verdict == "ok"
    short = check_images(images[1:], suite | {"evaluated": {"images": 1, "sha256": "0"}})
    assert short.finding == (
        f"Set-C has {len(images):,} images, the rows are of {len(images) - 1}, or of others"
    )
