import pytest

from bench.registry import UnknownNameError
from bench.report.comparison.contenders import contenders_across, contenders_of, mean_families
from tests.records.test_load import change
from tests.toy_run import ATTACKS


def test_names_and_patterns_each_once(run_dir, pristine):
    odd = "prnu_removal&[co]"  # which is a pattern too, of other names
    assert [one.label for one in contenders_of(run_dir, [odd])] == [odd]
    found = contenders_of(run_dir, ["mislgan", "cgan-*", "mislgan"])
    assert [one.label for one in found] == ["mislgan", "cgan-img-wdf-pef", "cgan-img"]
    assert {one.label for one in contenders_of(run_dir, [])} == set(ATTACKS)
    with pytest.raises(UnknownNameError, match="of this run 'mislgam': did you mean mislgan"):
        contenders_of(run_dir, ["mislgam"])
    places = [(pristine, "mislgan"), (pristine, "mislg*"), (run_dir, "mislgan")]
    one, other = contenders_across(places)
    assert (one.label, other.label) == (f"{pristine}:mislgan", f"{run_dir}:mislgan")


def test_runs_that_differ_never_mix(run_dir, pristine):
    for name in ATTACKS:
        change(run_dir, f"entry-{name}.json", scorer_version=3)
    with pytest.raises(ValueError, match=r"scorer version 2, .*has 3"):
        contenders_across([(pristine, "mislgan"), (run_dir, "cgan-img")])


def test_the_mean_is_over_the_protocols_families(pristine):
    found = contenders_of(pristine, ["mislgan"])
    assert set(mean_families(found).values()) == {"wdf", "pef", "img"}
    assert mean_families(found, "pef-resnet18") == {"pef-resnet18": "pef"}
    with pytest.raises(UnknownNameError, match="unknown victim of this run 'pef-resnet12'"):
        mean_families(found, "pef-resnet12")
