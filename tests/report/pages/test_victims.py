"""The page of cards is one self-contained file that the report links to."""

from bench.records.load import load_run
from bench.report.pages.report import report_html, write_victims
from tests.conftest import VICTIMS
from tests.records.test_networks import network_record, write_networks

from .test_report import alone


def page_of(folder):
    *_, path = write_victims(load_run(folder))
    assert path.name == "victims.html"
    return path.read_text(encoding="utf-8")


def test_every_victim_has_a_card(run_dir):
    write_networks(run_dir)
    page = page_of(run_dir)
    found = alone(page)
    assert sum(tag == "img" for tag, _ in found) == len(VICTIMS)
    assert {attrs["href"] for tag, attrs in found if tag == "a"} == {"report.html"}
    ids = [attrs["id"] for tag, attrs in found if tag == "article"]
    assert sorted(ids) == sorted(name for name, _, _ in VICTIMS)
    for text in ("0.0958 + 0.732 GFLOP", "97.5 %", "abcdefabcdef + changes", "150 s", "cam-a-0"):
        assert text in page
    assert "not recorded" not in page
    assert 'href="victims.html"' in report_html(load_run(run_dir))


def test_what_is_not_recorded_and_what_learns_nothing_is_said(run_dir):
    page = page_of(run_dir)
    assert page.count("<dd>not recorded</dd>") == 6 * len(VICTIMS)
    assert page.count("Training curve: not recorded.") == len(VICTIMS)
    write_networks(run_dir, [network_record("img-resnet18", training=None)])
    page = page_of(run_dir)
    assert page.count("<dd>nothing to learn</dd>") == 2
    assert "Training curve: nothing to learn." in page
