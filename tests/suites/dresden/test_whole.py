"""A copy of the Dresden images as its owner would use it: from the files to tables."""

from collections import Counter

import numpy as np
from PIL import Image

from bench.records.load import load_run
from bench.suites.base import open_suite
from tests.cli.conftest import camobench  # noqa: F401
from tests.suites.dresden.test_source import tiny, write  # noqa: F401
from tests.toys import encoded


def photograph(number):
    """A JPEG of 520 x 528 pixels that looks like no other."""
    coarse = np.random.default_rng(number).integers(30, 226, (9, 9, 3), dtype=np.uint8)
    return encoded(Image.fromarray(coarse).resize((528, 520)), quality=80)


def test_from_the_files_to_tables(tiny, camobench, tmp_path):  # noqa: F811
    copy, store, out = tmp_path / "Dresden", tmp_path / "store", tmp_path / "out"
    for number, photo in enumerate(tiny):
        write(copy, [photo], photograph(number))
    code, _, err = camobench("data", "prepare", "dresden-v1", "--root", copy, "--store", store)
    assert code == 0
    assert "audit: " in err
    suite = open_suite(next(store.glob("data/dresden-v1-*")))
    for name in "ABC":
        expected = {photo.name for photo, place in tiny.items() if place.set == name}
        assert set(suite.manifest(name)["image_id"]) == expected
    copy.rename(tmp_path / "gone")  # what is prepared needs the copy no more
    code, table, _ = camobench(
        *["run", "--suite", "dresden-v1", "--recipe", "smoke", "--victims", "img-resnet12"],
        *["--attacks", "identity", "--store", store, "--out", out, "--workers", "1"],
    )
    assert code == 0
    assert "img-resnet12" in table
    expected = Counter(place.split for place in tiny.values() if place.set == "C")
    assert Counter(load_run(out).predictions["split"]) == expected
