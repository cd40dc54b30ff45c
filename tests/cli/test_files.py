import json

import pytest
from PIL import Image

from tests.cli.words import SMALL, one_line
from tests.toys import pixels


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "holiday [1].png"
    Image.fromarray(pixels(1, 71, 97)[0].permute(1, 2, 0).numpy()).save(path)
    return path


def test_anonymise(camobench, smoke, photo, tmp_path):
    words = ["anonymise", photo, "--out", tmp_path / "out", "--store", smoke.store.root, *SMALL]
    code, out, err = camobench(*words, "--attack", "cgan-img", "--target", "simcam-01")
    assert code == 0
    assert "cgan-img on photographs" in err
    assert out.strip() == str(tmp_path / "out" / "holiday [1]__simcam-01.png")
    with Image.open(out.strip()) as made:
        assert made.size == (97, 71)
    code, _, err = camobench(*words, "--attack", "cgan-img", "--target", "simcam-99")
    assert code == 2
    assert "give --target" in one_line(err)


def test_attribute(camobench, smoke, photo):
    words = ["attribute", photo, "--store", smoke.store.root, *SMALL, "--format", "json"]
    code, out, err = camobench(*words, "--victims", "img-resnet12")
    assert code == 0
    assert "the victims know simcam-01, simcam-02, simcam-03" in err
    (row,) = json.loads(out)
    assert row["victim"] == "img-resnet12"
    assert row["predicted"].startswith("simcam-0")
    assert 1 / 3 <= row["probability"] <= 1
