"""`evaluate` makes what the command line does, and takes what a notebook has at hand."""

import shutil
import textwrap
import threading
import time
import weakref
from itertools import groupby
from pathlib import Path

import camobench
import pandas as pd
import pytest
import torch
from torch import nn

from bench.contract import ATTACKS, Attack, AttackSpec, Victim, VictimSpec
from bench.plan.evaluate import evaluate
from bench.registry import UnknownNameError
from bench.suites.catalogue import load_suite
from bench.types import CamobenchError, Silent, WrongUsageError
from tests.plugins import FOG
from tests.smoke import ATTACKS as ALL
from tests.smoke import SUITE, VICTIMS

pytestmark = pytest.mark.usefixtures("own_registries")


class Veil(nn.Module):
    """As public code is: `.view` on what it is given."""

    def __init__(self, strength):
        super().__init__()
        self.strength = strength

    def forward(self, images):
        return (images.view(len(images), -1) * self.strength).view(images.shape)


class Toward(nn.Module):
    def forward(self, images, targets):
        return images * (0.5 + 0.1 * targets[:, None, None, None])


class MeanNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.classes = classes
        self.norm = nn.BatchNorm1d(3, affine=False)

    def forward(self, images):
        return self.norm(images.view(len(images), 3, -1).mean(2)) * 20


class Haze(Attack):
    spec = AttackSpec(name="haze", targeted=False)

    def __init__(self, spec=None, *, classes=(), recipe=None, level=0.1):
        super().__init__(spec, classes=classes, recipe=recipe)
        self.level = nn.Parameter(torch.tensor(level))

    def transform(self, images, targets):
        return images * (1 - self.level)


def classes_of(run):
    return list(run.data.classes)


def psnr(run, attack):
    return run.distortion.set_index("attack").loc[attack, "psnr_db"].mean()


def test_everything_that_python_has_at_hand(ask):
    known = ask(attacks=["identity"], victims=["img-resnet12"])
    net = MeanNet(classes_of(known)[::-1]).train()
    given = [Haze, Haze(level=0.3), Veil(0.5), {"toward": Toward()}, "jpeg"]
    with pytest.raises(WrongUsageError, match="two are called 'haze'"):
        ask(attacks=given, victims=[net])
    given[1] = {"more-haze": given[1]}
    run = ask(attacks=given, victims=[net, "img-resnet12"], executor="auto")
    rows = run.predictions
    assert set(rows["attack"]) == {"haze", "more-haze", "veil", "toward", "jpeg", "identity"}
    assert set(rows["victim"]) == {"mean-net", "img-resnet12"}
    assert rows.loc[rows["attack"] == "toward", "target"].notna().all()
    assert rows.loc[rows["attack"] == "veil", "target"].isna().all()
    assert psnr(run, "haze") > psnr(run, "more-haze") > psnr(run, "veil")
    assert net.training  # it was scored in evaluation mode, on a copy
    with pytest.raises(UnknownNameError):
        ask(attacks="veil", victims="img-resnet12")


def test_classes_are_mapped_by_name(ask):
    known = classes_of(ask(attacks=["identity"], victims=["img-resnet12"]))
    predicted = {}
    for order in (known, known[::-1]):
        rows = ask(attacks=["identity"], victims={"net": MeanNet(order)}).predictions
        predicted[order[0]] = rows["predicted"].tolist()
    first, last = predicted.values()
    swapped = dict(zip(known, known[::-1], strict=True))
    assert last == [swapped[name] for name in first]
    del (net := MeanNet(known)).classes
    with pytest.raises(CamobenchError, match="does not say which cameras"):
        ask(attacks=["identity"], victims=[net])


def test_what_cannot_be_told_from_another_object_is_scored_anew(ask):
    veil = Veil(0.5)
    veil.mark = weakref.ref(veil)
    keys = set()
    for _ in range(2):
        with (
            pytest.warns(UserWarning, match="from another by the ReferenceType that mark"),
            pytest.warns(UserWarning, match="cannot go to a worker process .* in this process"),
        ):
            rows = ask(attacks=[veil], victims="img-resnet12", executor="auto").predictions
        keys |= set(rows.loc[rows["attack"] == "veil", "attack_key"])
    assert len(keys) == 2


def test_a_run_keeps_its_figures_and_its_folder(ask, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = {"victims": "img-resnet12", "recompress": [80]}
    first = ask(attacks={"net": Veil(0.9)}, out="named", **asked)
    assert repr(first) == "Run('named')"
    with pytest.raises(CamobenchError, match=r"net \(memory: Veil .*choose another --out"):
        ask(attacks={"net": Veil(0.3)}, out="named", **asked)
    ask(attacks={"net": Veil(0.9)}, out="named", **asked)
    shutil.rmtree("named")
    assert "80" in str(first.survival())
    other = ask(attacks={"net": Veil(0.3)}, out="named", **asked)
    assert psnr(first, "net") > psnr(other, "net")


def cell(strength):
    """A notebook's cell that registers an attack, as it was or as it is edited now."""
    space = {"__name__": "__main__", "camobench": camobench}
    exec(textwrap.dedent(FOG).replace("0.9 * images + 0.1", f"{strength} * images"), space)  # noqa: S102
    return space["Fog"]


def test_a_cell_that_is_edited_and_run_again_keeps_its_folder(ask, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = []
    for strength in (0.9, 0.5):
        camobench.register_attack(cell(strength))
        runs.append(ask(attacks=["fog"], victims="img-resnet12", out=None))
    assert {run.directory.name for run in runs} == {"camobench-out"}
    assert psnr(runs[0], "fog") > psnr(runs[1], "fog")
    again = ask(attacks=[cell(0.7)], victims="img-resnet12")
    assert psnr(runs[0], "fog") > psnr(again, "fog") > psnr(runs[1], "fog")
    registered = ask(attacks=["fog"], victims="img-resnet12")  # as the last cell left it
    assert psnr(registered, "fog") == psnr(runs[1], "fog")
    with pytest.raises(WrongUsageError, match="two are called 'fog'"):
        ask(attacks=["fog", cell(0.7)], victims="img-resnet12")


def test_what_is_no_participant_is_refused(ask):
    for thing in (Victim(VictimSpec(name="x")), object, 3, nn.Module):
        with pytest.raises(WrongUsageError, match="is no attack"):
            ask(attacks=[thing], victims="img-resnet12")


def test_a_table_is_a_data_frame_that_prints_as_the_table(ask):
    run = ask(attacks=["jpeg"], victims="img-resnet12")
    frame = run.table()
    assert isinstance(frame, pd.DataFrame)
    assert frame.set_index("attack").loc["identity", "psnr_db"] == float("inf")
    assert str(frame) == run.table(format="md")
    assert "<table>" in frame._repr_html_()
    assert type(frame[["attack"]]) is pd.DataFrame


class Slow(Silent):
    """Notes which thread is at work."""

    def __init__(self, seen):
        self.seen = seen

    def start(self, label, total, done=0):
        self.seen.append(threading.get_ident())
        time.sleep(0.1)


def test_threads_take_turns(ask):
    runs, seen = [], []

    def call(net):
        runs.append(ask(attacks=[net], victims="img-resnet12", progress=Slow(seen)))

    threads = [threading.Thread(target=call, args=[net]) for net in (Veil(0.7), Toward())]
    for act in ("start", "join"):
        for thread in threads:
            getattr(thread, act)()
    found = {name for run in runs for name in run.predictions["attack"]}
    assert found == {"veil", "toward", "identity"}
    assert len(list(groupby(seen))) == 2


def test_an_object_of_a_registered_class_stands_for_it_in_its_call(ask):
    camobench.register_attack(Haze)
    run = ask(attacks=[Haze(level=0.4)], victims="img-resnet12")
    assert psnr(run, "haze") < psnr(ask(attacks="haze", victims="img-resnet12"), "haze")
    assert ATTACKS.get("haze").builder is Haze


def test_it_gives_the_run_that_the_command_line_would(smoke_copy):
    run = evaluate(
        suite=load_suite(SUITE),
        attacks=ALL,
        victims=list(VICTIMS),
        recipe="smoke",
        device="cpu",
        shipped=False,
        store=smoke_copy.store.root,
        out=str(smoke_copy.out),
    )
    assert run.directory == smoke_copy.out
    assert set(run.predictions["attack"]) == set(ALL)
    written = pd.read_parquet(smoke_copy.out / "distortion.parquet")
    pd.testing.assert_frame_equal(run.distortion, written, check_dtype=False)
    for split, number in (("in", 2), ("out", 3)):
        for format in ("md", "csv", "tex"):
            text = (smoke_copy.out / f"table{number}.{format}").read_text()
            assert run.table(split, format) == text
    assert run.clean_accuracy("csv") == (smoke_copy.out / "clean_accuracy.csv").read_text()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"recipe": "smok"}, "did you mean smoke"),
        ({"victims": []}, "victims"),
        ({"seed": "0"}, "integer"),
        ({"suite": Path("photos")}, "unknown suite 'photos'"),
    ],
)
def test_wrong_asks_make_nothing(tmp_path, wrong, message):
    ask = {"store": tmp_path / "store", "out": tmp_path / "out", "suite": SUITE, "attacks": "jpeg"}
    with pytest.raises((UnknownNameError, CamobenchError, TypeError), match=message):
        evaluate(**ask | wrong)
    assert not (tmp_path / "out").exists()
