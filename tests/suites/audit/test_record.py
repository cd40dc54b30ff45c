import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bench.data import decode_rgb
from bench.store import Store
from bench.suites.audit.record import audit, audit_and_keep, kept_audit
from bench.suites.base import open_suite, prepare
from bench.suites.simcam.plan import SIMCAM_MINI
from bench.suites.simcam.source import SimcamSource
from bench.types import CamobenchError
from tests.smoke import toy_suite
from tests.toys import Recorder, encoded

SMALL = replace(SIMCAM_MINI, name="simcam-test-v1", images_a=10, images_b=10, images_c=4)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return prepare(SimcamSource(SMALL), Store(tmp_path_factory.mktemp("store")), ("A", "B", "C"))


@pytest.fixture
def suite(prepared, tmp_path):
    """A copy that a test may spoil."""
    return open_suite(shutil.copytree(prepared.folder, tmp_path / "suite"))


def change(suite, set_name, image=None, **columns):
    """Replace the first image of a set, or columns of its manifest by what a function gives."""
    folder = suite.folder / set_name
    if image is not None:
        np.load(folder / "images.npy", mmap_mode="r+")[0] = image
    frame = pd.read_parquet(folder / "manifest.parquet").assign(**columns)
    frame.to_parquet(folder / "manifest.parquet", index=False)


def finding(found, check):
    return next(item for item in found.findings if item.check == check)


COPIES = {
    "coarsely": lambda image: decode_rgb(encoded(image.transpose(1, 2, 0), quality=20), "again"),
    "brightened": lambda image: np.clip(image.astype(int) + 30, 0, 255).astype(np.uint8),
    "darkened": lambda image: (0.7 * image).astype(np.uint8),
}


def test_a_simulated_suite_passes_but_for_what_it_says(prepared):
    progress = Recorder()
    found = audit(prepared, progress)
    assert progress.started == [("simcam-test-v1: hashing images", 84)]
    assert (sum(progress.units), progress.finished) == (84, 1)
    assert {one.check for one in found.findings if one.verdict != "pass"} == {
        "devices of a class",
        "JPEG tables",
    }
    assert (len(found.findings), found.failed, found.near) == (11, (), ())
    assert found.verdict == (
        "9 of 11 checks pass; warn: a single device of 3 of 3 classes in Set-C; warn: JPEG tables "
        "alone name the class of 89 % of Set-C's 12 photographs (chance 33 %)"
    )


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_in_another_set_is_found_and_named(suite, name):
    change(suite, "C", COPIES[name](np.array(suite.images("A")[0])))
    found = audit(suite)
    assert finding(found, "copies of images").verdict == "pass"
    near = finding(found, "near copies")
    assert near.verdict == "warn"
    one, other = suite.manifest("A")["image_id"][0], suite.manifest("C")["image_id"][0]
    named = {(pair.one, pair.other) for pair in found.near}
    assert any(a.endswith(one) and b == f"C: {other}" for a, b in named)
    # The same scene by the other two cameras of the set may look as much like the copy.
    scene = one.rsplit("-", 1)[1]
    assert all(a.endswith(scene) and b == f"C: {other}" for a, b in named)


def test_an_exact_copy_fails_and_is_no_near_one(suite):
    change(suite, "B", np.array(suite.images("A")[0]))
    found = audit(suite)
    assert found.failed == ("copies of images",)
    one, other = suite.manifest("A")["image_id"][0], suite.manifest("B")["image_id"][0]
    assert f"{one} = B" in finding(found, "copies of images").finding
    assert not any(p.one.endswith(one) and p.other.endswith(other) for p in found.near)
    assert "fail: 1 image on two sides or of two camera models; warn" in found.verdict


def test_images_of_one_colour_are_no_evidence(suite):
    for name in "AC":
        change(suite, name, np.full((3, 128, 128), 255, np.uint8))
    found = audit(suite)
    assert found.failed == ()
    copies = finding(found, "copies of images")
    assert copies.verdict == "warn"
    assert "left out: 2 images of a single colour" in copies.finding
    assert "left out: 2 images with too little contrast" in finding(found, "near copies").finding
    assert finding(found, "near copies").verdict == "pass"


def test_an_audit_is_kept_with_its_images_until_they_or_the_checks_are_others(tmp_path):
    part = toy_suite(tmp_path / "store", sets=("C",))
    with pytest.raises(CamobenchError, match="Set-A of toy-v1 is not in the store"):
        audit(part)
    toy = toy_suite(tmp_path / "store")
    assert kept_audit(toy) is None
    audit_and_keep(toy)
    file = toy.folder / "audit.json"
    text = file.read_text()
    kept, content = kept_audit(toy), json.loads(text)
    file.write_text(text.replace(" checks pass", "0 checks pass"))
    assert kept_audit(toy) is None  # damaged
    del content["sha256"]
    assert (kept["verdict"], kept["checks"]) == (content["verdict"], content["checks"])
    assert len(kept["checks"]) == 11
    assert {"version", "camobench", "created"} <= kept.keys()
    for name, value in (("version", 0), ("fingerprint", "e" * 64), ("manifests", {})):
        file.write_text(json.dumps(content | {name: value}))
        assert kept_audit(toy) is None, name
    file.write_text(json.dumps(content))
    assert kept_audit(toy) == kept
    change(toy, "B", device="another")
    assert kept_audit(toy) is None
