import pytest

from bench.registry import UnknownNameError
from bench.report.comparison.contenders import contenders_of, mean_families
from tests.toy_run import ATTACKS


def test_names_and_patterns_each_once(run_dir):
    odd = "prnu_removal&[co]"  # which is a pattern too, of other names
    assert [one.label for one in contenders_of(run_dir, [odd])] == [odd]
    found = contenders_of(run_dir, ["mislgan", "cgan-*", "mislgan"])
    assert [one.label for one in found] == ["mislgan", "cgan-img-wdf-pef", "cgan-img"]
    assert {one.label for one in contenders_of(run_dir, [])} == set(ATTACKS)
    with pytest.raises(UnknownNameError, match="of this run 'mislgam': did you mean mislgan"):
        contenders_of(run_dir, ["mislgam"])


def test_the_mean_is_over_the_protocols_families(pristine):
    found = contenders_of(pristine, ["mislgan"])
    assert set(mean_families(found).values()) == {"wdf", "pef", "img"}
    assert mean_families(found, "pef-resnet18") == {"pef-resnet18": "pef"}
    with pytest.raises(UnknownNameError, match="unknown victim of this run 'pef-resnet12'"):
        mean_families(found, "pef-resnet12")
