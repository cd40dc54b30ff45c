"""What `run --attack` and `run --victim` put beside a new row or column."""

import shutil

import pytest
import torch

from bench.plan.beside import beside_columns, beside_rows
from bench.plan.evaluate import evaluate
from bench.plan.names.plugin_rows import recorded_plugins
from bench.plan.names.selection import select_attacks, select_victims
from bench.plan.request import evaluate_run
from bench.store import Store
from tests.plugins import FOG, MEAN, forget, write
from tests.smoke import SUITE, request
from tests.smoke import VICTIMS as SCORED

CONTROLS = set(select_attacks("controls"))
WITHOUT_NETWORK = {"resample", "seam-carving", "patch-replacement"}

pytestmark = pytest.mark.usefixtures("own_registries")


@pytest.fixture
def plug_ins(tmp_path):
    path = write(tmp_path / "mine.py", FOG + MEAN)
    select_attacks(f"{path}:Fog")
    select_victims(f"{path}:Mean")


def test_a_new_row_stands_beside_the_complete_ones(smoke, plug_ins):
    widened = beside_rows(request(attacks=("fog",)), smoke.store)
    assert widened.attacks[0] == "fog"
    assert set(widened.attacks) == {"fog", "cgan-img"} | CONTROLS
    assert widened.victims == SCORED


def test_a_row_with_a_hole_is_left_out(smoke, plug_ins):
    more = request(attacks=("fog",), victims=(*SCORED, "pef-resnet12"))
    assert set(beside_rows(more, smoke.store).attacks) == {"fog"} | CONTROLS


def test_a_new_column_is_on_every_attack_of_the_store_and_no_plug_in_of_this_process(
    smoke, plug_ins
):
    asked = request(attacks=(), victims=("mean-colour",))
    widened = beside_columns(asked, smoke.store)
    assert set(widened.attacks) == {"cgan-img"} | CONTROLS
    assert widened.victims[0] == "mean-colour"
    assert set(widened.victims) == {"mean-colour", *SCORED}
    assert beside_columns(asked, smoke.store, add_victims=False).victims == ("mean-colour",)


def test_plug_in_attacks_of_the_store_are_found_by_their_files(smoke_copy, tmp_path):
    fog = FOG.replace("import camobench", "import camobench\n    from .helper import K")
    path, helper = write(tmp_path / "mine.py", fog), write(tmp_path / "helper.py", "K = 1\n")
    store, out = smoke_copy.store, tmp_path / "scored"
    select_attacks(f"{path}:Fog")
    evaluate_run(request(attacks=("fog",), victims=("img-resnet12",)), store, out)
    forget("fog")
    asked = request(attacks=(), victims=("wdf-resnet12",))
    names, left = recorded_plugins(asked, store)
    assert (names, left) == (["fog"], {})
    assert "fog" in beside_columns(asked, store, plug_ins=names).attacks
    helper.write_text("import pathlib\npathlib.Path(__file__).with_name('run').touch()\nK = 1\n")
    names, left = recorded_plugins(asked, store)
    assert names == []
    assert "helper.py has changed" in left["fog"]
    assert not (tmp_path / "run").exists()
    write(helper, "K = 1\n")
    path.unlink()
    assert "mine.py is gone" in recorded_plugins(asked, store)[1]["fog"]
    nothing = [{"identity-1": torch.nn.Identity()}]
    where = {"store": store, "out": tmp_path / "given", "device": "cpu", "shipped": False}
    evaluate(suite=SUITE, recipe="smoke", attacks=nothing, victims="img-resnet12", **where)
    assert "notebook" in recorded_plugins(asked, store)[1]["identity-1"]


def test_with_nothing_scored_a_column_is_on_every_trained_attack(smoke_copy, plug_ins, tmp_path):
    shutil.rmtree(smoke_copy.store.root / "predictions")
    asked = request(attacks=(), victims=("mean-colour",))
    widened = beside_columns(asked, smoke_copy.store)
    assert set(widened.attacks) == {"cgan-img"} | CONTROLS | WITHOUT_NETWORK
    assert widened.victims == ("mean-colour",)
    empty = beside_columns(asked, Store(tmp_path / "empty"))
    assert set(empty.attacks) == CONTROLS | WITHOUT_NETWORK
