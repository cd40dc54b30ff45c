"""Every registered attack and victim keeps what `camobench check` asks of a plug-in.

Training has tests of its own, and its state is checked here; noise on every weight opens the
branches that start at zero.
"""

import pytest
import torch

from bench.contract import ATTACKS, VICTIMS
from bench.verify.contract_checks.run import checks_for, run_check
from bench.verify.contract_checks.subject import Subject
from tests.toys import shaken

ENTRIES = [("attack", entry) for entry in ATTACKS] + [("victim", entry) for entry in VICTIMS]
LEFT_OUT = {"fit", "fit, again", "speed"}
MAY_WARN = {"range"}
"""A network that has not been trained may leave [0, 1]."""


@pytest.mark.parametrize(
    ("kind", "entry"), ENTRIES, ids=[f"{kind} {entry.spec.name}" for kind, entry in ENTRIES]
)
def test_it_keeps_the_contract(kind, entry):
    subject = Subject(kind=kind, entry=entry, device=torch.device("cpu"))
    subject.thing = subject.build()
    if list(subject.thing.parameters()):
        subject.ready(shaken(subject.thing))
    elif subject.thing.learns:  # what has no weights to shake is fitted
        subject.train(subject.thing)
    chosen = [check for check in checks_for(kind) if check.name not in LEFT_OUT]
    verdicts = [run_check(check, subject) for check in chosen]
    bad = [one for one in verdicts if one.verdict == "fail"]
    bad += [one for one in verdicts if one.verdict == "warn" and one.check not in MAY_WARN]
    assert not bad
    if any(entry.spec.name in other.spec.surrogates for other in ATTACKS):
        (gradient,) = [one for one in verdicts if one.check == "gradient"]
        assert gradient.verdict == "ok"
