"""A copy of the Dresden images as its owner would use it: from the files to tables.

A few photographs of a few models; with CAMOBENCH_FULL_LIST=1 the whole protocol, in minutes.
"""

import os
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from bench.records.load import load_run
from bench.store import Store
from bench.suites.base import open_suite, prepare
from bench.suites.dresden.protocol import DRESDEN_V1, protocol, stem_of
from bench.suites.dresden.source import DresdenSource
from tests.smoke import Watcher
from tests.suites.dresden.test_source import tiny, write  # noqa: F401
from tests.toys import encoded

FULL = "CAMOBENCH_FULL_LIST" in os.environ


def photograph(number):
    """A JPEG of 528 x 520 pixels that looks like no other."""
    coarse = np.random.default_rng(number).integers(30, 226, (9, 9, 3), dtype=np.uint8)
    return encoded(Image.fromarray(coarse).resize((528, 520)), quality=80)


@pytest.fixture
def places(request):
    if FULL:
        return protocol()
    return request.getfixturevalue("tiny")


def test_from_the_files_to_tables(places, camobench, tmp_path):
    store, out = Store(tmp_path / "store"), tmp_path / "out"
    copy = write(tmp_path / "Dresden", places, photograph)
    paths = sorted(copy.rglob("*.JPG"))
    middle = paths[len(paths) // 2]
    whole = middle.read_bytes()
    words = ["data", "prepare", "dresden-v1", "--root", copy, "--store", store.root]

    middle.write_bytes(whole[: len(whole) // 2])
    code, _, err = camobench(*words)
    assert (code, middle.name in err, "--partial" in err) == (1, True, True)
    middle.write_bytes(whole)

    half = list(places.values()).count("B") // 2
    watcher = Watcher(stop=half, label="dresden-v1: Set-B")
    with pytest.raises(KeyboardInterrupt):
        prepare(DresdenSource(copy), store, ("A", "B", "C"), progress=watcher)
    code, folder, err = camobench(*words)
    assert code == 0
    assert "audit: " in err
    suite = open_suite(next(store.root.glob("data/dresden-v1-*")))
    assert str(suite.folder) in folder
    for name in "ABC":
        rows = suite.manifest(name)
        wanted = Counter(photo.model for photo, at in places.items() if at == name)
        assert Counter(rows["model"]) == wanted
        expected = {stem_of(photo) for photo, at in places.items() if at == name}
        assert set(rows["image_id"]) == expected
        assert all(image.any() for image in suite.images(name)[::7])

    for path in paths:  # what is prepared needs the copy no more
        path.unlink()
    code, table, _ = camobench(
        *["run", "--suite", "dresden-v1", "--recipe", "smoke", "--victims", "img-resnet12"],
        *["--attacks", "identity", "--store", store.root, "--out", out, "--workers", "1"],
    )
    assert code == 0
    assert "img-resnet12" in table
    scored = load_run(out).predictions
    expected = Counter(
        photo.model in DRESDEN_V1.models_in for photo in places if places[photo] == "C"
    )
    assert Counter(scored["split"] == "in") == expected
