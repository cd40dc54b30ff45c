from bench.verify.agreement import precision_verdicts
from tests.smoke import VICTIMS


def test_every_victim_is_compared_with_itself_in_fp32(smoke):
    verdicts, flipped = precision_verdicts(smoke.out, smoke.store)
    assert [one.check for one in verdicts] == [
        *(f"{name} in bf16" for name in VICTIMS),
        "mixed precision",
    ]
    rows = sum(int(one.finding.split()[2]) for one in verdicts[:-1])
    assert f"of {rows} rows agree with fp32" in verdicts[-1].finding
    assert len(flipped) == sum(int(one.finding.split()[0]) for one in verdicts[:-1])
    for one in verdicts:
        assert (one.verdict == "fail") == ("--keep-fp32" in one.remedy)


def test_a_store_without_the_networks_is_said(smoke, tmp_path):
    verdicts, flipped = precision_verdicts(smoke.out, type(smoke.store)(tmp_path))
    assert {one.verdict for one in verdicts} == {"skip"}
    assert flipped.empty
