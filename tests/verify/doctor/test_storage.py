import shutil
from pathlib import Path

import pytest

from bench.challenge.ids import challenge_files, open_challenge
from bench.plan.request import open_session
from bench.store import Store
from bench.types import SILENT
from bench.verdicts import failed
from bench.verify.doctor import storage
from bench.verify.doctor.storage import check_store
from tests.smoke import flip, matrix_of, request


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


def test_damage_locks_and_unfinished_work_are_named(smoke_copy):
    root = smoke_copy.store.root
    weights = next((root / "checkpoints").rglob("weights.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0\0")
    kind, name = weights.parent.parts[-2:]
    unfinished = smoke_copy.store.snapshot_file("victim", "pef-resnet12", "0" * 16)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    unfinished.touch()
    with smoke_copy.store.lock("networks", "victim", "busy"):
        found = examined(root)
    assert found["checkpoints"].verdict == "fail"
    assert f"{kind}/{name}" in found["checkpoints"].finding
    assert "train it anew" in found["checkpoints"].remedy
    assert "1 training (pef-resnet12-0000000000000000)" in found["unfinished work"].finding
    assert found["locks"].finding.endswith("networks/victim/busy.lock")


def test_flipped_bits_are_named(smoke_copy):
    root = smoke_copy.store.root
    images = next((root / "data").glob("*/B/images.npy"))
    rows = next((root / "predictions").glob("*/*/*.parquet"))
    for path in (images, rows):
        flip(path)
    found = examined(root)
    assert found["data sets"].finding == f"{images} is damaged (its checksum is another)"
    assert found["rows"].finding == f"{rows} is damaged (its checksum is another)"


def test_a_damaged_secret_of_a_challenge_is_named(smoke_copy):
    session = open_session(request(), smoke_copy.store)
    open_challenge(smoke_copy.store, session.graph.suite, "attacks")
    assert examined(smoke_copy.store.root)["challenges"].finding == "1 secret, all whole"
    (path,) = challenge_files(smoke_copy.store)
    flip(path)
    found = examined(smoke_copy.store.root)["challenges"]
    assert (found.verdict, found.finding) == ("fail", f"{path} is damaged or of another version")
    assert found.remedy.startswith("take it from a copy of the store: it holds the secret")


def test_damaged_kept_images_are_named(smoke_copy):
    matrix_of(smoke_copy.store, keep_images=True).fill(["jpeg"])
    assert examined(smoke_copy.store.root)["kept images"].finding == (
        "2 files, 0 sent rows, as their checksums say"  # one for the samples
    )
    kept = next((smoke_copy.store.root / "images").glob("*/*.parquet"))
    kept.write_bytes(kept.read_bytes()[:-200])
    found = examined(smoke_copy.store.root)
    assert "images " in found["store"].finding
    assert found["kept images"].verdict == "fail"
    assert str(kept) in found["kept images"].finding
    assert "--keep-images" in found["kept images"].remedy


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
