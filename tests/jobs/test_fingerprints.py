from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from bench.jobs.fingerprints import Fingerprints, keep_fingerprints
from bench.store import Store, file_digest
from bench.suites.flat_fields import photographed
from bench.types import SILENT, CamobenchError

SIDE = 64
SIZE = (96, 160)
TILES = ("-x0032-y0016", "-x0096-y0000")
DEVICES = ("Nikon_D70/0", "Nikon_D70s/1")


def shot(device, light, seed):
    """A whole frame of a device with a pattern of its own."""
    pattern = 0.03 * np.random.default_rng(DEVICES.index(device)).standard_normal(SIZE)
    noise = np.random.default_rng(seed).standard_normal((*SIZE, 3))
    return (light * (1 + pattern[..., None]) + 2 * noise).round().astype(np.uint8)


@pytest.fixture
def flat_fields(tmp_path):
    folder = tmp_path / "flat" / "flatfield"
    folder.mkdir(parents=True)
    for device in DEVICES:
        for number in range(8):
            name = f"{device.replace('/', '_')}_{number}.png"
            Image.fromarray(shot(device, 120, number)).save(folder / name)
    return folder


def suite(tiles=TILES, devices=DEVICES, name="own", sha256=""):
    rows = [(f"{device}{tile}", "p", device, sha256) for device in devices for tile in tiles]
    manifest = pd.DataFrame(rows, columns=["image_id", "photo_id", "device", "sha256"])
    card = SimpleNamespace(image_px=SIDE, name=name)
    return SimpleNamespace(manifest=lambda _: manifest, card=card)


def keep(flat_fields, root, asked=None):
    """Store and key of the fingerprints of a suite's devices."""
    store, asked = Store(root / "store"), asked or suite()
    return store, keep_fingerprints(store, asked, photographed(flat_fields, asked), SILENT)


def test_a_tile_fits_the_pixels_of_its_own_device(flat_fields, tmp_path):
    """Each tile is compared with what flat fields show in its place."""
    store, key = keep(flat_fields, tmp_path)
    assert key == keep(flat_fields, tmp_path)[1]
    known = Fingerprints(store, key)
    assert known.devices == DEVICES
    cut = {TILES[0]: np.s_[16:80, 32:96], TILES[1]: np.s_[0:64, 96:160]}
    for place, device in enumerate(DEVICES):
        frame = shot(device, 90 + np.arange(SIZE[1])[:, None] / 2, 99)
        images = np.stack([frame[cut[tile]].transpose(2, 0, 1) for tile in TILES])
        found = known.pce(torch.from_numpy(images), [f"a{tile}" for tile in TILES])
        assert (found[:, place] > 50).all()
        assert (found[:, 1 - place].abs() < 15).all()
        crossed = known.pce(torch.from_numpy(images), [f"a{tile}" for tile in reversed(TILES)])
        assert (crossed.abs() < 15).all()


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        (suite(tiles=["-x0160-y0000"]), "does not hold"),
        (suite(devices=["Nikon_D70/7"]), "Set-C has Nikon_D70/7"),
    ],
)
def test_flat_fields_that_do_not_fit_are_refused(flat_fields, tmp_path, asked, word):
    with pytest.raises(CamobenchError, match=word):
        keep(flat_fields, tmp_path, asked)


def test_photographs_of_set_c_are_no_flat_fields(flat_fields, tmp_path):
    seen = suite(sha256=file_digest(next(flat_fields.iterdir())))
    with pytest.raises(CamobenchError, match="holds photographs of Set-C, such as p"):
        keep(flat_fields, tmp_path, seen)


def test_devices_are_spelled_as_in_set_c(flat_fields):
    spelled = ("NIKON D70/0", "Nikon-D70S/1")
    assert tuple(photographed(flat_fields, suite(devices=spelled)).counts) == spelled


def test_flat_fields_of_two_sizes_are_not_mixed(flat_fields, tmp_path):
    first = next(iter(sorted(flat_fields.iterdir())))
    with Image.open(first) as image:
        image.resize((image.width + 64, image.height)).save(first)
    with pytest.raises(CamobenchError, match="pixels: give those of one size"):
        keep(flat_fields, tmp_path)


def test_dresden_spells_devices_as_its_photographs_are(tmp_path):
    for number, name in enumerate(("Fujifilm_FinePix_J50_02", "Olympus_mju_1050SW_4")):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{name}_{number}.png")
    found = photographed(tmp_path, suite(name="dresden-v1")).counts
    assert list(found) == ["FujiFilm_FinePixJ50/2", "Olympus_mju-1050SW/4"]


def test_a_name_that_tells_no_device_is_refused(tmp_path):
    (tmp_path / "bare").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "bare" / "one.png")
    with pytest.raises(CamobenchError, match=r"MODEL/DEVICE"):
        photographed(tmp_path / "bare", suite())
