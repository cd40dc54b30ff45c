import json

import pandas as pd
import pytest

from bench.records.frames import IMAGE
from bench.types import CamobenchError
from tests.challenge.answers import folder
from tests.plugins import FOG, write

COLUMNS = {*IMAGE, "target", "attack", "detector", "regime", "score", "treated"}


@pytest.mark.parametrize(("verb", "name"), [("detect", "detection"), ("linkage", "linkage")])
def test_files_and_table(camobench, smoke_copy, verb, name):
    words = [verb, smoke_copy.out, "--store", smoke_copy.store.root, "--device", "cpu"]
    code, out, err = camobench(*words, "--format", "json", "--workers", "1")
    assert code == 0, err
    same = [row for row in json.loads(out)["rows"] if row["attack"] == "identity"]
    if verb == "detect":
        assert {row["auc"] for row in same} == {0.5}
        assert set(pd.read_parquet(smoke_copy.out / "detection.parquet")) >= COLUMNS
    else:
        assert all(row["auc_before"] == row["auc_after"] > 0.9 for row in same)
    for suffix in ("parquet", "md", "csv", "tex"):
        assert (smoke_copy.out / f"{name}.{suffix}").is_file()
    assert camobench("verify", smoke_copy.out)[0] == 0


@pytest.mark.parametrize("verb", ["detect", "linkage"])
def test_images_that_were_sent_in_part_are_left_out_and_named(camobench, arena, tmp_path, verb):
    answer = folder(tmp_path / "answer", list(arena.jpeg().items())[1:])
    small = ["--store", arena.store.root, "--device", "cpu", "--quiet"]
    words = ["score", answer, "--name", "theirs", "--suite", "simcam-smoke-v2", "--recipe", "smoke"]
    words += ["--from-scratch", "--victims", "img-resnet12", "--out", tmp_path / "run"]
    camobench(*words, *small)
    code, out, err = camobench(verb, tmp_path / "run", *small, "--executor", "inline")
    assert code == 1
    assert "left out: theirs: 1 of the 8 images" in " ".join(err.split())
    assert "| jpeg" in out
    assert "theirs" not in out


def test_jobs_go_to_the_cluster_that_is_asked_for(camobench, smoke_copy, monkeypatch):
    pytest.importorskip("ray")

    def connect(address, **_):
        raise CamobenchError(f"nothing at {address}")

    monkeypatch.setattr("ray.init", connect)
    words = ["detect", smoke_copy.out, "--store", smoke_copy.store.root, "--quiet"]
    code, _, err = camobench(*words, "--executor", "ray", "--address", "nowhere:1")
    assert (code, "nothing at nowhere:1" in err) == (1, True)


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
