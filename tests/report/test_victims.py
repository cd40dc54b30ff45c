"""The page of cards is one self-contained file that the report links to."""

import re

import pytest

from bench.records.load import load_run
from bench.report.html import write_report
from bench.report.tables import write_tables
from bench.report.victims import write_victims
from tests.conftest import VICTIMS
from tests.records.test_networks import network_record, write_networks

from .test_html import tags


@pytest.fixture
def page(run_dir):
    write_networks(run_dir)
    write_victims(load_run(run_dir))
    return (run_dir / "victims.html").read_text(encoding="utf-8")


def test_it_is_self_contained(page):
    found = tags(page)
    sources = [attrs["src"] for tag, attrs in found if tag == "img"]
    assert len(sources) == 2 * len(VICTIMS)
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    assert all(attrs.get("alt") for tag, attrs in found if tag == "img")
    assert not [tag for tag, _ in found if tag in {"script", "link", "iframe", "object"}]
    assert not re.search(r"url\(|@import|https?://", page)
    assert {attrs["href"] for tag, attrs in found if tag == "a"} == {"report.html"}


def test_every_victim_has_a_card(page):
    ids = [attrs["id"] for tag, attrs in tags(page) if tag == "article"]
    assert sorted(ids) == sorted(name for name, _, _ in VICTIMS)
    for text in ("0.0958 + 0.732 GFLOP", "97.5 %", "abcdefabcdef + changes", "150 s", "cam-a-0"):
        assert text in page
    assert "not recorded" not in page


def test_older_runs_say_not_recorded(run_dir):
    write_victims(load_run(run_dir))
    page = (run_dir / "victims.html").read_text(encoding="utf-8")
    assert page.count("<dd>not recorded</dd>") == 6 * len(VICTIMS)
    assert page.count("Training curve: not recorded.") == len(VICTIMS)
    assert page.count("<img") == len(VICTIMS)


def test_a_victim_that_learns_nothing(run_dir):
    write_networks(run_dir, [network_record("img-resnet18", training=None)])
    write_victims(load_run(run_dir))
    page = (run_dir / "victims.html").read_text(encoding="utf-8")
    assert "Training curve: nothing to learn." in page
    assert page.count("<dd>nothing to learn</dd>") == 2


def test_report_and_tables_write_it_too(run_dir):
    names = [path.name for path in write_tables(load_run(run_dir))]
    assert {"victims.md", "victims.csv", "victims.tex"} <= set(names)
    path = write_report(load_run(run_dir))
    assert 'href="victims.html"' in path.read_text(encoding="utf-8")
    before = (run_dir / "victims.html").read_bytes()
    assert [path.name for path in write_victims(load_run(run_dir))][-1] == "victims.html"
    assert (run_dir / "victims.html").read_bytes() == before
