import html
import re
import shutil
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from bench.report.leaderboard.standing import build_standings
from bench.report.pages.site import write_site
from tests.report.leaderboard.folders import (
    boards_of,
    failed,
    other_networks,
    without,
    write_folder,
)

HOSTILE = '<script>alert(1)</script>"&'


class Page(HTMLParser):
    """Addresses, ids and tags of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.tags = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.links += [value for name, value in attrs if name in ("href", "src") and value]


def make_site(out):
    boards = [build_standings(board) for board in boards_of(out)]
    return write_site(boards, out).parent


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("results")

    def hostile(entry):
        entry["attack"] |= {"paper": HOSTILE, "licence": "javascript:alert(1)"}
        entry["suite"]["note"] = HOSTILE
        entry["provenance"]["device"] = HOSTILE
        failed("mislgan", "img-resnet18", HOSTILE)(entry)

    write_folder(out / "one", rows=without("mislgan", "img-resnet18"), entry=hostile)
    write_folder(out / "two", entry=other_networks)
    return make_site(out)


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def test_a_page_for_every_board_attack_and_victim(site):
    names = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert {"index.html", "one/index.html", "two/attack-mislgan.html"} <= names
    assert len(names) == 1 + 2 * (1 + 6 + 5)


def test_all_links_resolve_and_none_leaves_the_machine(site, pages):
    checked = 0
    for path, page in pages.items():
        for link in page.links:
            assert not re.match(r"[a-z]+:(?!,)", link) or link == "data:,", (path, link)
            if link.startswith(("#", "data:")):
                continue
            target = (path.parent / unquote(link.partition("#")[0])).resolve()
            if target.parent == site.parent and target.stem == "leaderboard":
                continue  # the tables, which the command writes beside the site
            assert target.is_file(), (path, link)
            checked += 1
    assert checked > 200


def test_strangers_write_no_markup(site):
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert 'href="javascript:' not in text
    assert "&lt;script&gt;alert(1)" in (site / "one" / "attack-mislgan.html").read_text()


def test_no_inline_script_or_style(pages):
    for path, page in pages.items():
        for tag, attrs in page.tags:
            assert not [name for name in attrs if name.startswith("on") or name == "style"], path
            assert tag != "style"
            assert tag != "script" or attrs["src"].endswith("site.js")
        policies = [a["content"] for t, a in page.tags if a.get("http-equiv")]
        assert policies, path
        assert "'unsafe-inline'" not in policies[0]


def test_the_same_entries_give_the_same_bytes(site, tmp_path):
    out = tmp_path / "again"
    for name in ("one", "two"):
        shutil.copytree(site.parent / name, out / name)
    again = make_site(out)
    files = sorted(path.relative_to(site) for path in site.rglob("*") if path.is_file())
    assert files == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    for file in files:
        assert (site / file).read_bytes() == (again / file).read_bytes(), file


def test_folders_elsewhere_are_copied_beside_the_pages(tmp_path):
    write_folder(tmp_path / "mine" / "run")
    boards = [build_standings(board) for board in boards_of(tmp_path / "mine")]
    site = write_site(boards, tmp_path / "public").parent
    assert (site / "run" / "files" / "run" / "entry-mislgan.json").is_file()
    assert not [path for path in site.rglob("*.html") if "../mine" in path.read_text()]


def test_commands_to_paste_are_quoted(tmp_path):
    write_folder(tmp_path / "run", rename={"cgan-img": "fog;rm"})
    site = make_site(tmp_path)
    (page,) = (site / "run").glob("attack-fog*.html")
    text = html.unescape(page.read_text())
    assert "--attacks 'fog;rm,controls'" in text


def test_no_file_of_this_machine_is_published_through_a_link(tmp_path):
    folder = write_folder(tmp_path / "run")
    (tmp_path / "secret").write_text("mine")
    (folder / "figure3.png").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match=r"figure3\.png is a symbolic link"):
        make_site(tmp_path)
