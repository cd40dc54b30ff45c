import pytest

from bench.registry import UnknownNameError
from bench.report.comparison.contenders import contenders_of
from bench.report.comparison.pairs import pairs_table
from bench.report.statistics import averaged
from tests.toy_run import ATTACKS


def test_names_and_patterns_each_once(run_dir):
    odd = "prnu_removal&[co]"  # which is a pattern too, of other names
    assert [one.name for one in contenders_of(run_dir, [odd])] == [odd]
    found = contenders_of(run_dir, ["mislgan", "cgan-*", "mislgan"])
    assert [one.name for one in found] == ["mislgan", "cgan-img-wdf-pef", "cgan-img"]
    assert {one.name for one in contenders_of(run_dir, [])} == set(ATTACKS)
    with pytest.raises(UnknownNameError, match="of this run 'mislgam': did you mean mislgan"):
        contenders_of(run_dir, ["mislgam"])


def test_the_mean_is_over_the_protocols_families_or_on_the_victim_asked_for(pristine):
    two = contenders_of(pristine, ["mislgan", "cgan-img"])
    assert set(averaged(two[0].run.victims).values()) == {"wdf", "pef", "img"}
    assert {one["victim"] for one in pairs_table(two, victim="pef-resnet18").records} == {
        "pef-resnet18"
    }
    with pytest.raises(UnknownNameError, match="unknown victim of this run 'pef-resnet12'"):
        pairs_table(two, victim="pef-resnet12")
