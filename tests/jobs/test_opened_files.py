"""Files that plug-ins open: another content is another row, and the old one comes back."""

import json
import sys

import numpy as np
import pandas as pd
import pytest

from bench.contract.plugin_files import load_plugin_file
from bench.plan.graph import plan
from bench.plan.request import evaluate_run, open_session
from bench.recipes import SMOKE
from bench.store import Store
from bench.types import CamobenchError
from tests.plugins import forget, write
from tests.smoke import ToySource, request
from tests.verify.contract_checks.faults import VICTIM_SPEC, begun, mean

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
READ = "torch.from_numpy(numpy.load(Path(__file__).with_name('gain.npy')))"
FIT = """
        def fit(self, data, context):
            self.gain.fill_(float({read}))
            return camobench.FitReport()
"""


def parts(transform, constructor="pass", module=""):
    """What stands in the places of `ATTACK`."""
    return {"transform": transform, "constructor": constructor, "module": module}


OPENED_IN = {
    "the module": parts("return GAIN * images", module=f"GAIN = {READ}"),
    "the constructor": parts("return self.gain * images", f"self.gain = {READ}"),
    "transform": parts(f"return {READ} * images"),
    "fit": parts("return self.gain * images", "self.register_buffer('gain', torch.zeros(()))"),
    "a helper thread": parts(
        "(t := threading.Thread(target=read)).start(); t.join(); return found[-1] * images",
        module=f"import threading\n    found = []\n    def read(): found.append({READ})",
    ),
    "a module by a computed name": parts(
        "spec = importlib.util.spec_from_file_location('g', PLACE.with_name('g.py')); "
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module); "
        "return module.GAIN * images",
        module="import importlib.util",
    ),
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


def key():
    return plan(ToySource().card, SMOKE, attacks=["gain"], victims=()).attacks["gain"]


def test_a_constructor_that_opens_another_file_has_another_key(tmp_path):
    Store(tmp_path)  # a user's folder may be one
    newest = "self.gain = float(sorted(PLACE.parent.glob('*.txt'))[-1].read_text())"
    text = ATTACK.format(**parts("return self.gain * images", newest))
    load_plugin_file(f"{write(tmp_path / 'gain.py', text)}:Gain")
    write(tmp_path / "a.txt", "0.9")
    before = key()
    write(tmp_path / "b.txt", "0.2")
    assert key() != before


def test_other_classes_of_its_file_and_what_they_open_move_no_key(tmp_path):
    reads = "self.gain = float(PLACE.with_name('{}.txt').read_text())"
    one, other = (
        ATTACK.format(**parts("return self.gain * images", reads.format(name)))
        for name in ("gain", "other")
    )
    text = one + other.replace("Gain", "Other").replace('"gain"', '"other"')
    path = write(tmp_path / "gain.py", text)
    for name in ("gain", "other"):
        write(tmp_path / f"{name}.txt", "0.9")
    load_plugin_file(f"{path}:Other")
    load_plugin_file(f"{path}:Gain")
    alone = key()
    other, gain = (
        plan(ToySource().card, SMOKE, attacks=["other", "gain"], victims=()).attacks[name]
        for name in ("other", "gain")
    )
    assert gain == alone != other
    write(tmp_path / "other.txt", "0.2")
    assert key() == alone
    write(tmp_path / "gain.txt", "0.2")
    assert key() != alone


def test_the_weights_of_a_surrogate_are_part_of_the_key_of_its_attack(tmp_path):
    text = ATTACK.format(**parts("return images"))
    text = text.replace("targeted=False", 'targeted=False, surrogates=("mean-colour",)')
    opens = begun(f"self.gain = {READ}", VICTIM_SPEC)
    weighted = mean("import numpy; from pathlib import Path", victim_spec=opens)
    load_plugin_file(f"{write(tmp_path / 'weighted.py', weighted)}:Mean")
    load_plugin_file(f"{write(tmp_path / 'gain.py', text)}:Gain")
    keys = []
    for gain in (0.9, 0.2, 0.9):
        put(tmp_path, gain)
        keys.append(key())
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
    found = (
        "def found():\n        try:\n            with PLACE.open('rb') as file:\n"
        "                return torch.from_numpy(numpy.load(file))\n"
        "        except FileNotFoundError:\n            return 0.9"
    )
    tries = parts("return found() * images", module=found)
    if where == "constructor":
        tries = parts("return self.found * images", "self.found = found()", found)
    path = write(tmp_path / "gain.py", ATTACK.format(**tries))
    faint = psnr_db(path)
    put(tmp_path, 0.2)
    assert psnr_db(path) < faint - 5
    (tmp_path / "gain.npy").unlink()
    assert psnr_db(path) == faint


@pytest.mark.parametrize(
    "transform",
    [
        "import os, subprocess; subprocess.run(['sh', '-c', f'echo 0.9 > {PLACE}']); "
        "gain = float(PLACE.read_text()); os.remove(PLACE); return gain * images",
        f"numpy.save(PLACE, numpy.float32(0.9)); return {READ} * images",
    ],
    ids=["what a child wrote and is removed", "what it writes itself"],
)
def test_what_is_no_input(tmp_path, psnr_db, transform):
    path = write(tmp_path / "gain.py", ATTACK.format(**parts(transform)))
    assert psnr_db(path) == psnr_db(path)
    entry = json.loads((tmp_path / "scored" / "entry-gain.json").read_text())
    assert entry["attack"]["plug_in"]["opened"] == []


def test_what_the_key_does_not_cover_is_said(tmp_path, psnr_db):
    from bench.records.load import load_run
    from bench.report.tables.paper import build_table

    text = ATTACK.format(**parts("import os; os.getenv('GAIN'); return images"))
    psnr_db(write(tmp_path / "gain.py", text))
    notes = build_table(load_run(tmp_path / "scored"), "in").notes
    assert any("environment variables that gain.py reads" in note for note in notes)


def test_a_file_that_changes_while_it_is_run_stops_the_run(tmp_path, psnr_db):
    changes = f"gain = {READ}; import subprocess, sys; subprocess.run([sys.executable, '-c', "
    changes += "f'import numpy; numpy.save({str(PLACE)!r}, numpy.float32({float(gain) / 2}))']); "
    path = write(tmp_path / "gain.py", ATTACK.format(**parts(f"{changes}return gain * images")))
    put(tmp_path, 0.9)
    with pytest.raises(CamobenchError, match=r"gain.npy, which gain reads, has changed"):
        psnr_db(path)


def test_an_imported_module_with_other_weights_behind_a_symbolic_link(
    tmp_path, monkeypatch, psnr_db
):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    lab = ATTACK.format(**OPENED_IN["the constructor"])
    write(tmp_path / "real" / "mylab.py", lab)
    monkeypatch.syspath_prepend(tmp_path / "link")
    path, found = write(tmp_path / "gain.py", "from mylab import Gain"), []
    for gain in (0.9, 0.2, 0.9):
        put(tmp_path / "real", gain)
        monkeypatch.delitem(sys.modules, "mylab", raising=False)
        found.append(psnr_db(path))
    monkeypatch.delitem(sys.modules, "mylab")
    assert found[0] == found[2] > found[1] + 5


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
