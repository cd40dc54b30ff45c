"""The committed site, and one of folders that strangers wrote."""

import html
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from bench.report.leaderboard.standing import build_standings
from bench.report.pages.site import write_site
from tests.report.leaderboard.folders import boards_of, failed, without, write_folder

from .test_report import Page

COMMITTED = Path(__file__).resolve().parents[3] / "results" / "leaderboard"
HOSTILE = '<script>alert(1)</script>"&'


@pytest.fixture(scope="module")
def pages():
    return {path: Page(path.read_text(encoding="utf-8")) for path in COMMITTED.rglob("*.html")}


def make_site(place, out):
    return write_site([build_standings(board) for board in boards_of(place)], out).parent


def test_all_links_resolve_and_none_leaves_the_machine(pages):
    found = [(path, link) for path, page in pages.items() for link in page.links]
    assert [link for _, link in found if re.match(r"[a-z]+:(?!,)", link) and link != "data:,"] == []
    files = [(path, link) for path, link in found if not link.startswith(("#", "data:"))]
    targets = [path.parent / unquote(link.partition("#")[0]) for path, link in files]
    assert [target for target in targets if not target.resolve().is_file()] == []
    assert len(targets) > 200


def test_the_index_shows_what_it_ranks_by():
    text = (COMMITTED / "index.html").read_text(encoding="utf-8")
    for podium in re.findall(r'<ol class="podium">(.*?)</ol>', text, re.DOTALL):
        shown = [float(figure) for figure in re.findall(r"<b>([\d.]+)", podium)]
        assert shown == sorted(shown, reverse=True)


def test_all_lead_that_are_not_told_to_be_behind_the_first(tmp_path):
    write_folder(tmp_path / "one")
    (standings,) = map(build_standings, boards_of(tmp_path))
    first, second, third, *others = standings.by_split["in"]
    third = replace(third, ranks={"tasr": third.ranks["tasr"] | {"rank_low": 1, "tie_group": 2}})
    found = {"in": (first, second, third, *others)}
    site = write_site([replace(standings, by_split=found)], tmp_path).parent
    (lede,) = re.findall('class="lede">(.*?)</p>', (site / "one" / "index.html").read_text(), re.S)
    assert second.ranks["tasr"]["rank_low"] == 2
    assert re.findall("attack-(.*?)[.]html", lede) == [first.attack.name, third.attack.name]
    assert "not told from the first" in lede


def test_no_inline_script_or_style(pages):
    for path, page in pages.items():
        for tag, attrs in page.tags:
            assert not [name for name in attrs if name.startswith("on") or name == "style"], path
            assert tag != "style"
            assert tag != "script" or attrs["src"].endswith("site.js")
        policy = next(a["content"] for _, a in page.tags if a.get("http-equiv"))
        assert "'unsafe-inline'" not in policy


def test_strangers_write_no_markup_and_no_commands(tmp_path):
    def hostile(entry):
        entry["attack"] |= {"paper": HOSTILE, "licence": "javascript:alert(1)"}
        entry["suite"]["note"] = entry["provenance"]["device"] = HOSTILE
        failed("mislgan", "img-resnet18", HOSTILE)(entry)

    hole = without("mislgan", "img-resnet18")
    write_folder(tmp_path / "one", rename={"cgan-img": "fog;rm"}, rows=hole, entry=hostile)
    site = make_site(tmp_path, tmp_path)
    texts = {path.name: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    assert len(texts) == 6 + 5 + 1  # attacks, victims, both index pages
    for text in texts.values():
        assert "<script>alert" not in text
        assert 'href="javascript:' not in text
    assert "&lt;script&gt;alert(1)" in texts["attack-mislgan.html"]
    (fog,) = (text for name, text in texts.items() if name.startswith("attack-fog"))
    assert "--attacks 'fog;rm,controls'" in html.unescape(fog)


def test_folders_elsewhere_are_copied_beside_the_pages_but_no_link_is_followed(tmp_path):
    folder = write_folder(tmp_path / "mine" / "run")
    site = make_site(tmp_path / "mine", tmp_path / "public")
    assert (site / "run" / "files" / "run" / "entry-mislgan.json").is_file()
    assert not [path for path in site.rglob("*.html") if "../mine" in path.read_text()]
    (tmp_path / "secret").write_text("mine")
    (folder / "figure3.png").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match=r"figure3\.png is a symbolic link"):
        make_site(tmp_path / "mine", tmp_path / "public")
