import json

import pandas as pd

from tests.plugins import FOG, write

COLUMNS = {"image_id", "photo_id", "target", "attack", "detector", "regime", "score", "treated"}


def test_files_and_table(camobench, smoke_copy):
    words = ["detect", smoke_copy.out, "--store", smoke_copy.store.root, "--device", "cpu"]
    code, out, err = camobench(*words, "--format", "json", "--workers", "1")
    assert code == 0, err
    rows = json.loads(out)["rows"]
    assert {row["auc"] for row in rows if row["attack"] == "identity"} == {0.5}
    assert set(pd.read_parquet(smoke_copy.out / "detection.parquet")) >= COLUMNS
    for suffix in ("md", "csv", "tex"):
        assert (smoke_copy.out / f"detection.{suffix}").is_file()
    assert camobench("verify", smoke_copy.out)[0] == 0


def test_a_plug_in_is_detected_once_it_is_named(camobench, smoke_copy, tmp_path, own_registries):
    fog = f"{write(tmp_path / 'fog.py', FOG)}:Fog"
    small = ["--store", smoke_copy.store.root, "--suite", "simcam-smoke-v2", "--recipe", "smoke"]
    small += ["--device", "cpu", "--workers", "1", "--executor", "inline"]
    victims = ["--victims", "img-resnet12", "--from-scratch"]
    code, _, err = camobench("run", "--attack", fog, *victims, *small, "--out", tmp_path / "run")
    assert code == 0, err
    words = ["detect", tmp_path / "run", "--store", smoke_copy.store.root, "--quiet"]
    words += ["--device", "cpu", "--workers", "1"]
    assert camobench(*words, "--plugin", fog)[0] == 0
    own = pd.read_parquet(tmp_path / "run" / "detection.parquet")
    assert {"fog", "identity"} <= set(own["attack"])
