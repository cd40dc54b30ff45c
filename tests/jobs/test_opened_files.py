"""Files that plug-ins open: another content is another row, and the old one comes back."""

import importlib
import json
import sys

import numpy as np
import pandas as pd
import pytest

from bench.contract import ATTACKS
from bench.contract.given import given_entry
from bench.contract.plugin_files import load_plugin_file
from bench.plan.graph import plan
from bench.plan.request import evaluate_run, open_session
from bench.recipes import SMOKE
from bench.types import CamobenchError
from tests.plugins import forget, write
from tests.smoke import ToySource, request

pytestmark = pytest.mark.usefixtures("own_registries")

ATTACK = """
    from pathlib import Path
    import numpy, torch, camobench
    PLACE = Path(__file__).parent / "gain.npy"
    {module}

    class Gain(camobench.Attack):
        spec = camobench.AttackSpec(name="gain", targeted=False)

        def __init__(self, spec=None, *, classes=(), recipe=None):
            super().__init__(spec, classes=classes, recipe=recipe)
            {constructor}

        def transform(self, images, targets):
            {transform}
"""
READ = "torch.from_numpy(numpy.load(PLACE))"
FIT = """
        def fit(self, data, context):
            self.gain.fill_(float({read}))
            return camobench.FitReport()
"""
OPENED_BEFORE = {
    "the module": {
        "module": f"GAIN = {READ}",
        "constructor": "pass",
        "transform": "return GAIN * images",
    },
    "the constructor": {
        "module": "",
        "constructor": f"self.gain = {READ}",
        "transform": "return self.gain * images",
    },
}
OPENED_IN = {
    "transform": {
        "module": "",
        "constructor": "pass",
        "transform": f"return {READ} * images",
    },
    "fit": {
        "module": "",
        "constructor": "self.register_buffer('gain', torch.zeros(()))",
        "transform": "return self.gain * images",
    },
    "a helper thread": {
        "module": "import threading\n    found = []\n    def read(): found.append(" + READ + ")",
        "constructor": "pass",
        "transform": "(t := threading.Thread(target=read)).start(); t.join(); "
        "return found[-1] * images",
    },
    "a module by a computed name": {
        "module": "import importlib.util",
        "constructor": "pass",
        "transform": "spec = importlib.util.spec_from_file_location('g', PLACE.with_name('g.py')); "
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module); "
        "return module.GAIN * images",
    },
}


def put(folder, gain):
    np.save(folder / "gain.npy", np.float32(gain))
    (folder / "g.py").write_text(f"GAIN = {gain}\n")


@pytest.fixture
def psnr_db(smoke_copy, tmp_path):
    """Scores the attack of a file, and gives its mean PSNR."""

    def score(path):
        forget("gain")
        (name,) = load_plugin_file(f"{path}:Gain").names
        asked = request(attacks=(name, "identity"), victims=("img-resnet12",))
        out = evaluate_run(asked, smoke_copy.store, tmp_path / "scored").directory
        rows = pd.read_parquet(out / "distortion.parquet")
        return rows.loc[rows["attack"] == name, "psnr_db"].mean()

    return score


@pytest.mark.parametrize("where", OPENED_BEFORE)
def test_what_it_opens_as_it_is_built_is_part_of_its_key(tmp_path, where):
    path = write(tmp_path / "gain.py", ATTACK.format(**OPENED_BEFORE[where]))
    keys = []
    for gain in (0.9, 0.2, 0.9):
        put(tmp_path, gain)
        forget("gain")
        load_plugin_file(f"{path}:Gain")
        keys.append(plan(ToySource().card, SMOKE, attacks=["gain"], victims=()).attacks["gain"])
    assert keys[0] == keys[2] != keys[1]


@pytest.mark.parametrize("where", OPENED_IN)
def test_a_changed_file_is_another_row_and_the_former_comes_back(tmp_path, psnr_db, where):
    text = ATTACK.format(**OPENED_IN[where]) + (FIT.format(read=READ) if where == "fit" else "")
    path = write(tmp_path / "gain.py", text)
    put(tmp_path, 0.9)
    faint = psnr_db(path)
    put(tmp_path, 0.2)
    assert psnr_db(path) < faint - 5
    put(tmp_path, 0.9)
    assert psnr_db(path) == faint
    entry = json.loads((tmp_path / "scored" / "entry-gain.json").read_text())
    wanted = "g.py" if "computed" in where else "gain.npy"
    assert wanted in [name for name, _ in entry["attack"]["plug_in"]["opened"]]


@pytest.mark.parametrize("where", ["transform", "constructor"])
def test_a_file_that_was_not_there_is_noticed_once_it_is(tmp_path, psnr_db, where):
    tries = {
        "module": "def found():\n        try:\n            with PLACE.open('rb') as file:\n"
        "                return torch.from_numpy(numpy.load(file))\n"
        "        except FileNotFoundError:\n            return 0.9",
        "constructor": "pass",
        "transform": "return found() * images",
    }
    if where == "constructor":
        tries |= {"constructor": "self.found = found()", "transform": "return self.found * images"}
    path = write(tmp_path / "gain.py", ATTACK.format(**tries))
    faint = psnr_db(path)
    put(tmp_path, 0.2)
    assert psnr_db(path) < faint - 5
    (tmp_path / "gain.npy").unlink()
    assert psnr_db(path) == faint


def test_a_row_that_is_there_is_not_made_again(tmp_path, psnr_db, smoke_copy):
    path = write(tmp_path / "gain.py", ATTACK.format(**OPENED_IN["transform"]))
    put(tmp_path, 0.9)
    psnr_db(path)
    before = sorted((smoke_copy.store.root / "predictions").rglob("*.parquet"))
    psnr_db(path)
    assert sorted((smoke_copy.store.root / "predictions").rglob("*.parquet")) == before


def test_what_it_reads_of_a_child_and_removes_is_no_input(tmp_path, psnr_db):
    makes = (
        "import os, subprocess; subprocess.run(['sh', '-c', f'echo 0.9 > {PLACE}']); "
        "gain = float(PLACE.read_text()); os.remove(PLACE); return gain * images"
    )
    parts = OPENED_IN["transform"] | {"transform": makes}
    path = write(tmp_path / "gain.py", ATTACK.format(**parts))
    assert psnr_db(path) == psnr_db(path)
    entry = json.loads((tmp_path / "scored" / "entry-gain.json").read_text())
    assert entry["attack"]["plug_in"]["opened"] == []


def test_what_it_writes_itself_is_no_input(tmp_path, psnr_db):
    writes = f"numpy.save(PLACE, numpy.float32(0.9)); return {READ} * images"
    parts = OPENED_IN["transform"] | {"transform": writes}
    path = write(tmp_path / "gain.py", ATTACK.format(**parts))
    psnr_db(path)
    entry = json.loads((tmp_path / "scored" / "entry-gain.json").read_text())
    assert entry["attack"]["plug_in"]["opened"] == []


def test_what_the_key_does_not_cover_is_said(tmp_path, psnr_db):
    from bench.records.load import load_run
    from bench.report.tables.paper import build_table

    parts = OPENED_IN["transform"] | {"transform": "import os; os.getenv('GAIN'); return images"}
    psnr_db(write(tmp_path / "gain.py", ATTACK.format(**parts)))
    notes = build_table(load_run(tmp_path / "scored"), "in").notes
    assert any("environment variables that gain.py reads" in note for note in notes)


def test_a_file_that_changes_while_it_is_run_stops_the_run(tmp_path, psnr_db):
    changes = f"gain = {READ}; import subprocess, sys; subprocess.run([sys.executable, '-c', "
    changes += "f'import numpy; numpy.save({str(PLACE)!r}, numpy.float32({float(gain) / 2}))']); "
    parts = OPENED_IN["transform"] | {"transform": changes + "return gain * images"}
    path = write(tmp_path / "gain.py", ATTACK.format(**parts))
    put(tmp_path, 0.9)
    with pytest.raises(CamobenchError, match=r"gain.npy, which gain reads, has changed"):
        psnr_db(path)


LAB = """
    from pathlib import Path
    import numpy, torch, camobench

    def read():
        return torch.from_numpy(numpy.load(Path(__file__).parent / "gain.npy"))

    W = {at_import}

    class Fade(camobench.Attack):
        spec = camobench.AttackSpec(name="fade", targeted=False)

        def transform(self, images, targets):
            return W * images if {read_now} is None else self.gain * images

        def __init__(self, spec=None, *, classes=(), recipe=None):
            super().__init__(spec, classes=classes, recipe=recipe)
            self.gain = {read_now}
"""


@pytest.mark.parametrize("where", ["at import", "as it is built, behind a symbolic link"])
def test_an_imported_module_with_other_weights_has_another_key(tmp_path, monkeypatch, where):
    at_import, read_now = ("read()", "None") if where == "at import" else ("None", "read()")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(tmp_path / "real" / "mylab.py", LAB.format(at_import=at_import, read_now=read_now))
    monkeypatch.syspath_prepend(tmp_path / "link")
    keys = []
    for gain in (0.9, 0.2, 0.9):
        put(tmp_path / "real", gain)
        monkeypatch.delitem(sys.modules, "mylab", raising=False)
        fade = given_entry("attack", importlib.import_module("mylab").Fade)
        ATTACKS.forget(["fade"])
        ATTACKS.add([fade])
        keys.append(plan(ToySource().card, SMOKE, attacks=["fade"], victims=()).attacks["fade"])
    monkeypatch.delitem(sys.modules, "mylab")
    assert keys[0] == keys[2] != keys[1]


def test_victims_too(tmp_path, smoke_copy):
    text = """
        from pathlib import Path
        import numpy, torch, camobench

        class Mean(camobench.Victim):
            spec = camobench.VictimSpec(name="mean-colour", front_end="colour")

            def logits(self, images):
                gain = float(numpy.load(Path(__file__).parent / "gain.npy"))
                return gain * images.mean((2, 3))[:, : len(self.classes)]
    """
    path = write(tmp_path / "mean.py", text)
    load_plugin_file(f"{path}:Mean")
    keys = []
    for gain in (1, -1, 1):
        put(tmp_path, gain)
        asked = request(attacks=("identity",), victims=("mean-colour",))
        evaluate_run(asked, smoke_copy.store, tmp_path / "scored")
        keys.append(open_session(asked, smoke_copy.store).graph.victims["mean-colour"])
    assert keys[0] == keys[2] != keys[1]
