import hashlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.suites.export import MANIFEST, TOLD, export_set
from bench.types import CamobenchError
from tests.smoke import toy_suite


@pytest.fixture
def suite(tmp_path):
    return toy_suite(tmp_path / "store", sets=("B", "C"))


def rows(out):
    return pd.read_csv(out / MANIFEST).to_dict("records")


def pixels(path):
    with Image.open(path) as image:
        assert image.info == {}
        return np.asarray(image).transpose(2, 0, 1)


def test_every_image_goes_out_with_its_label(suite, tmp_path):
    export_set(suite, "B", tmp_path / "out", told=TOLD)
    known = suite.manifest("B")
    found = rows(tmp_path / "out")
    assert [row["model"] for row in found] == list(known["model"])
    assert [row["partition"] for row in found] == list(known["partition"])
    assert found[0].keys() == {"file", "sha256", "model", "partition"}
    for row, image in zip(found, suite.images("B"), strict=True):
        path = tmp_path / "out" / row["file"]
        np.testing.assert_array_equal(pixels(path), image)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]


def test_without_labels_nothing_tells_the_source(suite, tmp_path):
    export_set(suite, "C", tmp_path / "out", told=())
    found = rows(tmp_path / "out")
    assert found[0].keys() == {"file", "sha256"}
    images = [image.tobytes() for image in suite.images("C")]
    order = [images.index(pixels(tmp_path / "out" / row["file"]).tobytes()) for row in found]
    assert sorted(order) == list(range(len(images)))
    assert order != sorted(order)


def test_it_goes_on_where_it_was_and_replaces_nothing(suite, tmp_path):
    out = tmp_path / "out"
    export_set(suite, "B", out)
    before = {path: path.read_bytes() for path in out.rglob("*.*")}
    first, second = sorted((out / "images").iterdir())[:2]
    first.unlink()
    (out / MANIFEST).unlink()
    export_set(suite, "B", out)
    assert {path: path.read_bytes() for path in out.rglob("*.*")} == before
    second.write_bytes(b"mine")
    with pytest.raises(CamobenchError, match="holds something else"):
        export_set(suite, "B", out)
    assert second.read_bytes() == b"mine"
