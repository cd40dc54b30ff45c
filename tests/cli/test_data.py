import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.store import Store
from bench.store.checksums import keep_checksum
from bench.suites.base import prepare
from bench.suites.catalogue import load_suite
from tests.cli.words import one_line
from tests.suites.dresden.test_source import few
from tests.suites.dresden.test_source import write as write_dresden


def test_data_prepare_and_show(camobench, tmp_path):
    store = ["--store", tmp_path / "store"]
    code, out, err = camobench("data", "prepare", "simcam-smoke-v2", *store, "--workers", "1")
    assert code == 0
    assert out.strip().endswith("simcam-smoke-v2-" + out.strip()[-12:])
    assert err.count("✓") == 4
    assert "audit: 9 of 11 checks pass; warn: a single device" in err
    code, _, err = camobench("data", "prepare", "simcam-smoke-v2", *store, "--workers", "1")
    assert (code, err.count("✓")) == (0, 0)  # neither made nor audited again
    assert "audit: 9 of 11 checks pass" in err
    code, out, _ = camobench("data", "show", "simcam-smoke-v2", *store, "--format", "json",
                             "--picture", tmp_path / "sheet.png")  # fmt: skip
    assert code == 0
    rows = {row["camera model"]: row for row in json.loads(out)}
    assert rows["simcam-01"]["Set-A"] == 4
    assert rows["simcam-01"]["devices A"]
    assert rows["simcam-07"] | {"split": "out", "Set-A": 0, "Set-C": 2} == rows["simcam-07"]
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (8 * 64, 4 * 64)


@pytest.fixture
def prepared(tmp_path):
    """A store with the smallest suite, not audited."""
    store = Store(tmp_path / "store")
    prepare(load_suite("simcam-smoke-v2"), store, ("A", "B", "C"))
    return store


def test_a_suite_beside_photographs(camobench, prepared, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    for number in range(3):
        noise = np.random.default_rng(number).normal(128, 4, (70, 70, 3)).round()
        Image.fromarray(noise.astype(np.uint8)).save(folder / f"{number}.png")
    words = ["data", "show", "simcam-smoke-v2", "--store", prepared.root, "--against", folder]
    code, out, _ = camobench(*words, "--format", "json", "--picture", tmp_path / "figure.png")
    rows = {row["measure"]: row for row in json.loads(out)}
    assert code == 0
    assert rows["photographs"] == {"measure": "photographs", "simcam-smoke-v2": 8, "mine": 3}
    assert rows["median, PSNR (dB)"]["mine"] > 30
    with Image.open(tmp_path / "figure.png") as figure:
        assert figure.width > 1000


def test_cameras_and_how_far_apart_they_are(camobench, monkeypatch):
    monkeypatch.setattr("bench.calibration.SCENES", 1)
    code, out, _ = camobench("data", "cameras", "--distance", "--format", "json")
    rows = json.loads(out)
    assert (code, len(rows)) == (0, 12)
    assert 0.01 < float(rows[0]["02"]) < 0.2
    assert 30 < float(rows[1]["01"]) < 45
    code, _, err = camobench("data", "cameras")
    assert code == 2
    assert "--distance" in err


def test_data_audit_for_scripts(camobench, prepared):
    words = ["data", "audit", "simcam-smoke-v2", "--store", prepared.root]
    code, out, err = camobench(*words, "--format", "json")
    assert (code, "✓ simcam-smoke-v2: hashing images" in err) == (0, True)
    rows = json.loads(out)
    assert all(row.keys() == {"check", "verdict", "finding"} for row in rows)
    assert {row["verdict"] for row in rows} == {"pass", "warn"}
    assert camobench(*words, "--quiet")[2] == ""


def test_an_audit_that_fails_is_printed_kept_and_1(camobench, prepared):
    (path,) = prepared.root.glob("data/*/C/manifest.parquet")
    pd.read_parquet(path).assign(scene="A-s0000").to_parquet(path, index=False)
    keep_checksum(path)
    words = ["data", "audit", "simcam-smoke-v2", "--store", prepared.root, "--quiet"]
    code, out, err = camobench(*words)
    assert code == 1
    assert "A-s0000 (A, C)" in out
    assert one_line(err).startswith("error: simcam-smoke-v2 fails its audit: scenes across sets;")
    kept = json.loads((path.parents[1] / "audit.json").read_text())
    assert "fail: 1 of 8 scenes in more than one set" in kept["verdict"]


def test_preparing_what_fails_its_audit_ends_with_1(camobench, tmp_path):
    copy = write_dresden(tmp_path / "copy", few())  # of equal pixels
    words = ["data", "prepare", "dresden-v1", "--root", copy, "--partial", "--quiet"]
    for _ in range(2):
        code, folder, err = camobench(*words, "--store", tmp_path / "store")
        assert code == 1
        assert Path(folder.strip(), "C", "manifest.parquet").is_file()
        assert (
            "dresden-v1 fails its audit: copies of images; mend what `camobench data audit" in err
        )
    code, _, err = camobench("data", "show", "dresden-v1", "--store", tmp_path / "store")
    assert (code, err.startswith("WARNING, INCOMPLETE copy of the Dresden")) == (0, True)


def test_data_export_is_its_own_folders_alone(camobench, prepared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["data", "export", "simcam-smoke-v2", "--store", prepared.root, "--set"]
    for _ in range(2):
        code, out, err = camobench(*words, "B")
        assert (code, out.strip()) == (0, "simcam-smoke-v2-set-B"), err
    known = pd.read_csv(tmp_path / out.strip() / "manifest.csv")
    assert {"file", "sha256", "model", "device", "scene", "split"} <= set(known)
    code, _, err = camobench(*words, "A", "--out", out.strip())
    assert (code, "choose another --out" in err) == (1, True)
    for more, columns in (([], {"file", "sha256"}), (["--labels"], set(known))):
        out = tmp_path / f"c{len(more)}"
        assert camobench(*words, "C", "--out", out, *more)[0] == 0
        assert set(pd.read_csv(out / "manifest.csv")) == columns
