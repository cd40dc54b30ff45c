"""A real Ray cluster on this machine: the same files as in one process, whatever is lost."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pandas as pd
import pytest
import torch
from filelock import FileLock

from bench.execute.cluster import Home
from bench.execute.node_store import files_of
from bench.jobs.job import ScoreJob
from bench.jobs.outcome import Failed
from bench.plan.failures import Failures
from bench.plan.names.selection import select_victims
from bench.records.load import load_run
from tests.plugins import MADE, write
from tests.smoke import SUITE, toy_session
from tests.test_readme import blocks

ray = pytest.importorskip("ray")
cluster_utils = pytest.importorskip("ray.cluster_utils")
ENDING = """
    import os

    import camobench

    class Ending(camobench.Victim):
        spec = camobench.VictimSpec(name="ending")

        def logits(self, images):
            os._exit(0)
"""
NODE = {"num_cpus": 1, "object_store_memory": 200 * 2**20, "include_dashboard": False}


@pytest.fixture
def cluster(tmp_path_factory):
    """A head that runs no jobs, so that every node may be lost; one cluster at a time."""
    with FileLock(tmp_path_factory.getbasetemp().parent / "ray.lock"):
        found = cluster_utils.Cluster(initialize_head=True, head_node_args=NODE | {"num_cpus": 0})
        yield found
        found.shutdown()


@pytest.fixture
def begin(smoke_copy, tmp_path):
    """Starts `camobench run` on the smallest suite, nothing of which is trained or scored."""
    for area in ("checkpoints", "predictions"):
        shutil.rmtree(smoke_copy.store.root / area)

    def run(executor, *words):
        store = tmp_path / f"store-{executor}"
        if not store.exists():
            shutil.copytree(smoke_copy.store.root, store)
        asked = ["run", "--suite", SUITE, "--recipe", "smoke", "--from-scratch", "--device", "cpu"]
        asked += ["--store", str(store), "--out", str(tmp_path / executor), "--quiet"]
        return subprocess.Popen(
            [sys.executable, "-m", "camobench", *asked, "--executor", executor, *words],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


def ended(process):
    told = process.communicate(timeout=600)[1]
    return process.returncode, told


def require_same(tmp_path, one="ray", other="inline"):
    for name in ("predictions", "distortion"):
        files = [tmp_path / executor / f"{name}.parquet" for executor in (one, other)]
        pd.testing.assert_frame_equal(*map(pd.read_parquet, files))
        assert files[0].read_bytes() == files[1].read_bytes()


def weights(store):
    return {
        path.parent.name: path.read_bytes()
        for path in (store / "checkpoints").rglob("*.safetensors")
    }


def test_nodes_that_see_no_store_and_no_plug_in_give_the_files_of_one_process(
    cluster, begin, tmp_path
):
    for number in range(2):
        own = {"CAMOBENCH_NODE_STORE": str(tmp_path / f"node-{number}")}
        cluster.add_node(**NODE, env_vars=own)
    folder = tmp_path / "plug-ins"
    (_, tint), *_ = blocks("Add your anonymiser")
    (_, colours), *_ = blocks("Add your classifier")
    for name, text in (("tint", tint), ("colours", colours), ("ending", ENDING)):
        write(folder / f"{name}.py", text)
    asked = ["--attacks", f"{folder}/tint.py:Tint", "--victims"]
    victims = f"{folder}/colours.py:Colours,wdf-resnet12"
    both = f"{victims},{folder}/ending.py:Ending"
    running = {
        executor: begin(executor, *asked, both, *words)
        for executor, words in (("ray", ["--address", cluster.address]), ("local", []))
    }
    for executor, process in running.items():
        code, told = ended(process)
        assert code == 1, told  # a victim ended its process
        assert {victim for _, victim in load_run(tmp_path / executor).failed} == {"ending"}
    require_same(tmp_path, other="local")
    stores = [tmp_path / f"store-{executor}" for executor in ("ray", "local")]
    assert weights(stores[0]) == weights(stores[1])
    assert len({path.parts[-3] for path in tmp_path.glob("node-?/*/checkpoints")}) == 2
    for gone in (stores[0] / "predictions", tmp_path / "ray"):
        shutil.rmtree(gone)  # what a node has made before is no longer here
    assert ended(begin("ray", *asked, victims, "--address", cluster.address))[0] == 0
    require_same(tmp_path, other="local")


def test_lost_nodes_and_a_killed_driver_lose_nothing(cluster, begin, tmp_path):
    nodes = [cluster.add_node(**NODE) for _ in range(2)]
    asked = ["--attacks", "cgan-img,jpeg", "--victims", "img-resnet12,pef-resnet12"]
    address = ["--address", cluster.address]
    store = tmp_path / "store-ray"

    def first_of(made):
        def found():  # a checksum is written before its file is whole
            return [store / n for n in files_of(store, [made]) if not n.endswith(".sha256")]

        while not found():
            time.sleep(0.05)
        return {path: path.stat().st_mtime_ns for path in found()}

    process, reference = begin("ray", *asked, *address), begin("inline", *asked)
    before = {}
    for node, made in zip(nodes, ("checkpoints", "predictions"), strict=True):
        before |= first_of(made)
        cluster.add_node(**NODE)
        cluster.remove_node(node, allow_graceful=False)
    time.sleep(1)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for process in (begin("ray", *asked, *address), reference):
        code, told = ended(process)
        assert code == 0, told
    assert {path: path.stat().st_mtime_ns for path in before} == before  # none was made again
    require_same(tmp_path)
    stores = [tmp_path / f"store-{executor}" for executor in ("ray", "inline")]
    assert weights(stores[0]) == weights(stores[1])


TELLING = """
    import os
    from pathlib import Path

    with Path(__file__).with_name("loaded").open("a") as file:
        file.write(".")


    def told(self, data, context):
        raise RuntimeError(f"CUDA error: {context.device}")


    LEARNERS = [victim(name, lambda images: images.mean((2, 3)), fit=told) for name in ("a", "b")]
    VICTIMS = [victim("c", lambda images: images.mean((2, 3)))]
"""


def test_with_gpus_scorings_share_a_process_and_trainings_are_begun_once(
    tmp_path, tmp_path_factory, monkeypatch, own_registries
):
    """Each on the one GPU that it sees; here is none, so that all fail."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2**34, 2**34))
    path = write(tmp_path / "telling.py", MADE + TELLING)
    learners, names = (select_victims(f"{path}:{which}") for which in ("LEARNERS", "VICTIMS"))
    noted, loaded = Failures(tmp_path / "failures"), path.with_name("loaded")
    asked = {"executor": "ray", "device": "cuda:1", "failures": noted}
    with FileLock(tmp_path_factory.getbasetemp().parent / "ray.lock"):
        ray.init(num_gpus=1, log_to_driver=False, **NODE)
        toy_session(tmp_path / "store", victims=learners, **asked).train()
        trained = loaded.read_text()
        scoring = toy_session(tmp_path / "store", ["identity"], names, **asked)
        scoring.prepare(("C",))
        one = ScoreJob(attack="identity", stems=(), shard=0, images=1, row="a", kept="b")
        outcomes = [*scoring.run([one, replace(one, row="c")])]
        ray.shutdown()
    assert [type(outcome) for _, outcome in outcomes] == [Failed] * 2
    assert [one.reason for one in noted.jobs.values()] == ["RuntimeError: CUDA error: cuda"] * 2
    assert (len(trained), len(loaded.read_text())) == (3, 4)  # here, and where it was needed


def test_what_is_begun_anew_has_what_is_left_of_its_limit(tmp_path):
    now = [100.0]
    home = Home(tmp_path, lambda: now[0])
    assert home.left_s("k", 60) == 60
    now[0] += 50
    assert (home.left_s("k", 60), home.left_s("another", 60)) == (10, 60)
    now[0] += 50
    assert home.left_s("k", 60) < 0
