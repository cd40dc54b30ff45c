import shutil
from pathlib import Path

import pytest

from bench.store import Store
from bench.types import SILENT
from bench.verdicts import failed
from bench.verify.doctor import storage
from bench.verify.doctor.storage import check_store
from tests.smoke import flip


@pytest.fixture(autouse=True)
def nothing_ships(monkeypatch, tmp_path):
    monkeypatch.setattr(storage, "shipped_root", lambda: tmp_path / "none")


def examined(root):
    return {one.check: one for one in check_store(root, SILENT)}


@pytest.mark.parametrize("root", ["store", "~nobody-of-this-name"])
def test_a_store_that_is_not_made_yet_stays_so(tmp_path, monkeypatch, root):
    monkeypatch.chdir(tmp_path)
    found = examined(Path(root))
    assert "is not made yet" in found["store"].finding
    assert not (tmp_path / root).exists()
    assert not failed(found.values())
    assert Store(Path(root)).root == tmp_path / root


def test_a_healthy_store(smoke):
    found = examined(smoke.store.root)
    assert {one.verdict for one in found.values()} == {"ok"}
    assert "predictions" in found["store"].finding
    assert found["checkpoints"].finding.endswith("each as its card says")
    assert not found["checkpoints"].finding.startswith("0,")


def test_damaged_weights_are_named(smoke_copy):
    root = smoke_copy.store.root
    weights = next((root / "checkpoints").rglob("weights.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0\0")
    kind, name = weights.parent.parts[-2:]
    found = examined(root)
    assert found["checkpoints"].verdict == "fail"
    assert f"{kind}/{name}" in found["checkpoints"].finding
    assert "makes it anew" in found["checkpoints"].remedy


def test_flipped_bits_are_named(smoke_copy):
    root = smoke_copy.store.root
    images = next((root / "data").glob("*/B/images.npy"))
    rows = next((root / "predictions").glob("*/*/*.parquet"))
    for path in (images, rows):
        flip(path)
    found = examined(root)
    assert found["data sets"].finding == f"{images} is damaged (its checksum is another)"
    assert found["rows"].finding == f"{rows} is damaged (its checksum is another)"


def test_what_is_no_store_or_of_another_format_fails(tmp_path):
    (tmp_path / "letter.txt").touch()
    assert examined(tmp_path)["store"].verdict == "fail"
    store = Store(tmp_path / "store")
    (store.root / "camobench-store.json").write_text('{"format": 9}')
    assert "has format 9" in examined(store.root)["store"].finding


def test_a_place_that_cannot_be_written_to_fails(tmp_path):
    (tmp_path / "file").touch()
    found = examined(tmp_path / "file")
    assert found["write permission"].verdict == "fail"
    assert "--store" in found["write permission"].remedy


@pytest.mark.parametrize(("free", "verdict"), [(50 << 20, "fail"), (1 << 30, "warn")])
def test_little_room(monkeypatch, tmp_path, free, verdict):
    usage = shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda _: usage)
    assert examined(tmp_path / "store")["disk space"].verdict == verdict
