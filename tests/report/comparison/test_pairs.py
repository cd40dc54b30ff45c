import pytest

from bench.metrics.significance import holm
from bench.report.comparison.contenders import contenders_of
from bench.report.comparison.pairs import compare_pairs, pairs_table


@pytest.fixture(scope="module")
def three(pristine):
    return contenders_of(pristine, ["cgan-img-wdf-pef", "cgan-img", "jpeg-q85"])


@pytest.fixture(scope="module")
def compared(three):
    return compare_pairs(three)


def test_every_pair_in_every_rate_that_both_have(compared):
    found = [(c.split, c.metric.name, c.first.label, c.second.label) for c in compared]
    full, img, jpeg = "cgan-img-wdf-pef", "cgan-img", "jpeg-q85"
    assert found == [
        ("in", "tasr", full, img),
        ("in", "uasr", full, img),
        ("in", "uasr", full, jpeg),
        ("in", "uasr", img, jpeg),
        ("out", "tasr", full, img),
    ]


def test_holm_is_over_all_that_is_printed(compared):
    records = pairs_table(compared, None, None).records
    assert [r["p_holm"] for r in records] == pytest.approx(holm([c.test.p for c in compared]))
    assert records[0]["images"] == 24
    assert records[0]["photographs"] == 12
    assert records[0]["p_exact"]


def test_mcnemar_only_within_one_victim_and_one_target(three):
    assert all(one.mcnemar is None for one in compare_pairs(three, victim="pef-resnet18"))
    assert all(one.mcnemar is None for one in compare_pairs(three, target="cam-a"))
    found = compare_pairs(three, victim="pef-resnet18", target="cam-a")
    first = found[0]
    rows = [
        part[(part["victim"] == "pef-resnet18") & (part["target"] == "cam-a")].set_index("image_id")
        for part in (first.first.rows("in"), first.second.rows("in"))
    ]
    hits = [part["predicted"] == part["target"] for part in rows]
    assert first.mcnemar.only_first == int((hits[0] & ~hits[1]).sum())
    assert first.mcnemar.only_second == int((hits[1] & ~hits[0]).sum())
    assert first.paired.images == 16  # those of cam-a itself have no such target
    table = pairs_table(found, "pef-resnet18", "cam-a")
    assert "(pef-resnet18, target cam-a)" in table.title
    assert all(0 <= r["mcnemar_p"] <= r["mcnemar_p_holm"] <= 1 for r in table.records)
