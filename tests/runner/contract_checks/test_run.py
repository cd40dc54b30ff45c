import pytest
import torch

from bench.registry import UnknownNameError
from bench.runner.contract_checks.run import CHECKS, checks_for, examine, run_check
from bench.runner.contract_checks.subject import find_subjects
from bench.runner.contract_checks.verdicts import Check, ok
from tests.plugins import FOG, MEAN, write
from tests.runner.contract_checks.faults import ATTACKS, VICTIMS
from tests.toys import Recorder

pytestmark = pytest.mark.usefixtures("own_registries")
CPU = torch.device("cpu")
NEEDED_FIRST = ("fit",)
"""What later checks look at has been trained by then."""


def only(text):
    (subject,) = find_subjects(str(text), CPU)
    return subject


def verdict_of(name, subject, limit_s=30.0):
    """The verdict of one check, after those that it needs."""
    for check in checks_for(subject.kind):
        if check.name == name:
            return run_check(check, subject, limit_s)
        if check.name in NEEDED_FIRST:
            run_check(check, subject)
    raise LookupError(name)


@pytest.mark.parametrize("what", ATTACKS)
def test_an_attack_that_breaks_a_rule(tmp_path, what):
    text, check, message = ATTACKS[what]
    subject = only(f"{write(tmp_path / 'bad.py', text)}:Fog")
    found = verdict_of(check, subject, 1.0 if "end" in what else 30.0)
    assert found.verdict in ("fail", "warn"), found
    assert message in found.finding
    assert found.remedy
    assert "\n" not in found.finding + found.remedy


@pytest.mark.parametrize("what", VICTIMS)
def test_a_victim_that_breaks_a_rule(tmp_path, what):
    text, check, message = VICTIMS[what]
    subject = only(f"{write(tmp_path / 'bad.py', text)}:Mean")
    found = verdict_of(check, subject)
    assert found.verdict == "fail", found
    assert message in found.finding
    assert found.remedy


@pytest.mark.parametrize("text", [f"{FOG}", MEAN], ids=["attack", "victim"])
def test_good_ones_pass_every_check_in_order(tmp_path, text):
    name = "Fog" if text == FOG else "Mean"
    subject = only(f"{write(tmp_path / 'good.py', text)}:{name}")
    watcher = Recorder()
    found = list(examine(subject, watcher))
    assert [one.check for one in found] == [check.name for check in checks_for(subject.kind)]
    assert not [one for one in found if one.verdict == "fail"]
    assert [one.check for one in found if one.verdict == "warn"] == ["spec"]  # no licence stated
    assert len(watcher.units) == watcher.total == len(found)
    assert watcher.finished
    assert "images/s of 256 px on cpu" in found[-1].finding


def test_one_crash_stops_nothing(tmp_path):
    text = FOG.replace("return 0.9", "raise KeyError('gone')\n            return 0.9")
    subject = only(f"{write(tmp_path / 'bad.py', text)}:Fog")
    found = {one.check: one for one in examine(subject)}
    assert found["range"].finding == "bad.py line 8: KeyError: 'gone'"
    assert found["speed"].verdict == found["target"].verdict == "fail"
    assert found["build"].verdict == found["device"].verdict.replace("fail", "ok") == "ok"
    assert set(found) == {check.name for check in checks_for("attack")}


def test_running_out_of_memory_and_leaving_are_failures(tmp_path):
    subject = only("jpeg")

    def greedy(subject):
        raise torch.OutOfMemoryError("4 GiB")

    def leaving(subject):
        raise SystemExit(3)

    for run, message in ((greedy, "ran out of memory"), (leaving, "SystemExit: 3")):
        found = run_check(Check(name="x", run=run), subject)
        assert (found.check, found.verdict) == ("x", "fail")
        assert message in found.finding


def test_an_interrupted_check_is_no_verdict():
    def interrupted(subject):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_check(Check(name="x", run=interrupted), only("jpeg"))


def test_names_of_checks_are_told_once():
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert run_check(Check(name="x", run=lambda subject: ok("fine")), only("jpeg")).check == "x"


def test_subjects_by_name(tmp_path):
    assert only("mislgan").kind == "attack"
    assert only("pef-resnet12").kind == "victim"
    with pytest.raises(UnknownNameError, match=r"unknown attack 'misl-gan': did you mean mislgan"):
        find_subjects("misl-gan", CPU)
    with pytest.raises(UnknownNameError, match=r"unknown victim 'pef-resnet81': did you mean pef-"):
        find_subjects("pef-resnet81", CPU)
    path = write(tmp_path / "two.py", FOG + MEAN + "\n    BOTH = [Fog]\n")
    assert [subject.name for subject in find_subjects(f"{path}:BOTH", CPU)] == ["fog"]
