import pytest
import torch

from bench.registry import UnknownNameError
from bench.types import SILENT
from bench.verdicts import Verdict
from bench.verify.contract_checks import images
from bench.verify.contract_checks.run import (
    Check,
    checks_for,
    examine,
    run_check,
    together,
)
from bench.verify.contract_checks.subject import find_subjects
from tests.plugins import FOG, MEAN, write
from tests.smoke import CPU
from tests.toys import Recorder
from tests.verify.contract_checks.faults import DRAWN, FAULTS, VICTIM_SPEC, fog, mean

pytestmark = pytest.mark.usefixtures("own_registries")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """How fast a plug-in is, no test here asks: once will do."""
    monkeypatch.setattr(images, "LEAST_S", 0.0)
    monkeypatch.setattr(images, "SIDE_PX", 64)


def only(text):
    (subject,) = find_subjects(str(text), CPU)
    return subject


def first_fault(subject):
    """The first line that is not well, and how many there are."""
    wrong = [
        one
        for one in examine(subject, SILENT)
        if one.verdict == "fail" or (one.verdict == "warn" and one.check != "spec")
    ]
    return wrong[0], len(wrong)


@pytest.mark.parametrize(("text", "check", "message"), FAULTS, ids=[one[2] for one in FAULTS])
def test_a_plug_in_that_breaks_a_rule(tmp_path, text, check, message):
    name = "Fog" if "Fog" in text else "Mean"
    found, count = first_fault(only(f"{write(tmp_path / 'bad.py', text)}:{name}"))
    assert (found.check, count) == (check, 1)
    assert message in found.finding
    assert found.remedy
    assert "\n" not in found.finding + found.remedy


FRONT_END = f"{VICTIM_SPEC}\n        def frontend(self, images): {DRAWN}"
SMOOTHED = mean(victim_spec=FRONT_END).replace("def logits", "def backbone")
STEPS = mean(logits="return (images.mean((2, 3)) > 0.9).float()")  # as of trees: few values


@pytest.mark.parametrize("text", [FOG, fog(out=DRAWN), MEAN, SMOOTHED, STEPS])
def test_good_ones_pass_every_check_in_order(tmp_path, text):
    name = "Fog" if "Fog" in text else "Mean"
    subject = only(f"{write(tmp_path / 'good.py', text)}:{name}")
    watcher = Recorder()
    found = list(examine(subject, watcher))
    names = [check.name for check in checks_for(subject.kind)]
    assert [one.check for one in found] == list(dict.fromkeys(names))
    assert not [one for one in found if one.verdict == "fail"]
    assert [one.check for one in found if one.verdict == "warn"] == ["spec"]  # no licence stated
    assert len(watcher.units) == watcher.total == len(found)
    assert watcher.finished
    assert "images/s of 64 px on cpu" in found[-1].finding


def test_logarithms_of_probabilities_do_as_logits(tmp_path):
    text = mean(logits="return images.mean((2, 3)).log_softmax(1)")
    found = examine(only(f"{write(tmp_path / 'good.py', text)}:Mean"), SILENT)
    assert {one.check: one.verdict for one in found if one.check == "logits"} == {"logits": "warn"}


def test_one_crash_stops_nothing(tmp_path):
    text = FOG.replace("return 0.9", "raise KeyError('gone')\n            return 0.9")
    subject = only(f"{write(tmp_path / 'bad.py', text)}:Fog")
    found = {one.check: one for one in examine(subject, SILENT)}
    assert found["range"].finding == "bad.py line 8: KeyError: 'gone'"
    assert found["range"].remedy == "mend it; CAMOBENCH_DEBUG=1 shows the traceback"
    assert found["build"].verdict == "ok"
    assert found["speed"] == Verdict(
        check="speed", verdict="skip", finding="not looked at, since 'range' failed"
    )
    assert set(found) == {check.name for check in checks_for("attack")}


def test_what_is_skipped_for_one_reason_is_one_line():
    def skipped(check, reason):
        return Verdict(check=check, verdict="skip", finding=reason)

    fine = Verdict(check="d", verdict="ok", finding="x")
    found = together([skipped("a", "x"), skipped("b", "x"), skipped("c", "y"), fine, fine])
    assert [one.check for one in found] == ["a, b", "c", "d", "d"]


def test_running_out_of_memory_and_leaving_are_failures(tmp_path):
    subject = only("jpeg")

    def greedy(subject):
        raise torch.OutOfMemoryError("4 GiB")

    def leaving(subject):
        raise SystemExit(3)

    for run, message in ((greedy, "ran out of memory"), (leaving, "SystemExit: 3")):
        found = run_check(Check("x", run), subject)
        assert (found.check, found.verdict) == ("x", "fail")
        assert message in found.finding


def test_an_interrupted_check_is_no_verdict():
    def interrupted(subject):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_check(Check("x", interrupted), only("jpeg"))


def test_subjects_by_name(tmp_path):
    assert only("mislgan").kind == "attack"
    assert only("pef-resnet12").kind == "victim"
    with pytest.raises(UnknownNameError, match=r"unknown attack 'misl-gan': did you mean mislgan"):
        find_subjects("misl-gan", CPU)
    with pytest.raises(UnknownNameError, match=r"unknown victim 'pef-resnet81': did you mean pef-"):
        find_subjects("pef-resnet81", CPU)
    path = write(tmp_path / "two.py", FOG + MEAN + "\n    BOTH = [Fog]\n")
    assert [subject.entry.spec.name for subject in find_subjects(f"{path}:BOTH", CPU)] == ["fog"]
