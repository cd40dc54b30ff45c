import pytest

from bench.contract import AttackSpec
from bench.records.samples import most_complete


def spec(name, laac=(), scfa=False, targeted=True, **more):
    return AttackSpec(name=name, laac=laac, scfa=scfa, targeted=targeted, **more)


FULL, PAIR = spec("full", ("img", "wdf", "pef")), spec("pair", ("img", "wdf"))
SINGLE, BASELINE = spec("single", ("pef",)), spec("baseline", ("pef",), True)
TWIN = spec("twin", ("img", "wdf", "pef"), preliminary=True)
CONTROL = spec("control", targeted=False)


@pytest.mark.parametrize(
    ("specs", "shown"),
    [
        ([PAIR, FULL, BASELINE, CONTROL], "full"),
        ([BASELINE, PAIR], "pair"),
        ([BASELINE, SINGLE], "single"),
        ([spec("plain"), CONTROL], "plain"),
        ([CONTROL], None),
        ([TWIN, SINGLE, FULL], "full"),
        ([TWIN, SINGLE], "single"),
        ([TWIN, CONTROL], "twin"),
    ],
)
def test_the_full_method_is_shown_where_there_is_one(specs, shown):
    assert most_complete(specs) == shown
