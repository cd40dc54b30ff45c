from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.data import ImageError
from bench.files.photographs import anonymise_files, attribute_files
from bench.jobs.networks import Networks
from bench.plan.request import open_session
from bench.types import CamobenchError
from tests.smoke import request
from tests.toys import pixels


def photo(path, size=(97, 71), mode="RGB", **options):
    """A smooth random picture of (width, height)."""
    image = Image.fromarray(pixels(1, size[1], size[0])[0].permute(1, 2, 0).numpy())
    image.convert(mode).save(path, **options)
    return path


def anonymise(smoke, paths, out, attack="cgan-img", target="simcam-02"):
    return list(anonymise_files(paths, request(victims=()), smoke.store, attack, target, out))


def read(path):
    with Image.open(path) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.asarray(image).transpose(2, 0, 1)


def networks(smoke):
    session = open_session(request(), smoke.store)
    return Networks(session.graph, session.shelf, torch.device("cpu"))


@pytest.mark.parametrize("size", [(64, 64), (97, 71), (130, 65)])
def test_anonymising_keeps_any_size_and_every_pixel_the_attack_made(smoke, tmp_path, size):
    source = photo(tmp_path / "holiday.png", size)
    (made,) = anonymise(smoke, [source], tmp_path / "out")
    assert made == tmp_path / "out" / "holiday__simcam-02.png"
    original = torch.from_numpy(read(source).copy())[None]
    expected = networks(smoke).attack("cgan-img")(original, torch.tensor([1]))[0].numpy()
    np.testing.assert_array_equal(read(made), expected)
    assert read(made).shape == (3, size[1], size[0])


def test_untargeted_attacks_take_no_target(smoke, tmp_path):
    source = photo(tmp_path / "holiday.png")
    (made,) = anonymise(smoke, [source], tmp_path / "out", "identity", None)
    assert made.name == "holiday.png"
    np.testing.assert_array_equal(read(made), read(source))
    before = source.read_bytes()
    (beside,) = anonymise(smoke, [source], tmp_path, "jpeg", None)
    assert (beside.name, source.read_bytes()) == ("holiday-2.png", before)
    with pytest.raises(CamobenchError, match="identity is untargeted: leave --target out"):
        anonymise(smoke, [source], tmp_path, "identity", "simcam-01")


@pytest.mark.parametrize("target", ["simcam-99", "simcam-07", None])  # 07: out of distribution
def test_unknown_and_missing_targets(smoke, tmp_path, target):
    said = "cgan-img is targeted: give --target, one of simcam-01, .*simcam-03"
    with pytest.raises(CamobenchError, match=f"{said}, not '{target}'" if target else said):
        anonymise(smoke, [photo(tmp_path / "a.png")], tmp_path / "out", target=target)
    assert not (tmp_path / "out").exists()


def test_photographs_of_one_name_get_names_of_their_own(smoke, tmp_path):
    for name in ("A", "B"):
        (tmp_path / name).mkdir()
    paths = [tmp_path / "A" / "d.jpg", tmp_path / "B" / "d.jpg", tmp_path / "B" / "d.png"]
    for path, size in zip(paths, ((64, 65), (64, 66), (64, 67)), strict=True):
        photo(path, size)
    for _ in range(2):  # the same again finds its own
        made = anonymise(smoke, paths, tmp_path / "out", "jpeg", None)
        assert [path.name for path in made] == ["d.png", "d-2.png", "d-3.png"]
    assert [read(path).shape[1] for path in made] == [65, 66, 67]
    assert anonymise(smoke, paths[1:2], tmp_path / "out", "jpeg", None) == made[1:2]
    (other,) = anonymise(smoke, paths[1:2], tmp_path / "out", "median", None)
    assert other.name == "d-4.png"
    assert len(list((tmp_path / "out").iterdir())) == 4


def test_attribution_is_what_the_victims_say(smoke, tmp_path):
    paths = [photo(tmp_path / "a.png"), photo(tmp_path / "b.png", (64, 130))]
    rows = attribute_files(paths, request(attacks=()), smoke.store)
    assert [(row["image"], row["victim"]) for row in rows] == [
        (str(path), name) for path in paths for name in ("img-resnet12", "wdf-resnet12")
    ]
    opened = networks(smoke)
    for row in rows:
        image = torch.from_numpy(read(Path(row["image"])).copy())[None].float() / 255
        with torch.inference_mode():
            shares = opened.victim(row["victim"])(image).softmax(1)[0]
        assert row["predicted"] == f"simcam-0{int(shares.argmax()) + 1}"
        assert row["probability"] == pytest.approx(float(shares.max()), abs=6e-5)


def test_all_bad_photographs_are_named_before_any_work(smoke, tmp_path):
    paths = [photo(tmp_path / "a.png"), photo(tmp_path / "b.png", (200, 63)), tmp_path / "c.png"]
    for use in (
        lambda: anonymise(smoke, paths, tmp_path / "out"),
        lambda: attribute_files(paths, request(attacks=()), smoke.store),
    ):
        with pytest.raises(ImageError, match=r"b\.png: 200 x 63 pixels is .*\n.*c\.png: cannot be"):
            use()
    long = photo(tmp_path / f"{'n' * 250}.png")
    with pytest.raises(ImageError, match=r"n\.png: its name and __simcam-02\.png are too long"):
        anonymise(smoke, [paths[0], long], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(CamobenchError, match="attack mislgan is not trained for simcam-smoke-v2"):
        anonymise(smoke, paths[:1], tmp_path / "out", "mislgan")
