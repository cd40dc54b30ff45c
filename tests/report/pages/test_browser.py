"""The site in headless Chromium, from file://: sorting, filters, views, links, no errors."""

import os
import shutil
from itertools import combinations
from pathlib import Path

import pytest

from bench.report.leaderboard.standing import build_standings
from bench.report.pages.scatter import overlap
from bench.report.pages.site import write_site
from tests.report.leaderboard.folders import (
    boards_of,
    failed,
    other_networks,
    without,
    write_folder,
)

pytestmark = pytest.mark.slow
COMMITTED = Path(__file__).resolve().parents[3] / "results" / "leaderboard"


@pytest.fixture(scope="module")
def browser():
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which(os.environ.get("CHROMIUM", "chromium"))
    if path is None:
        pytest.skip("no Chromium here: `apt-get install chromium`, or name one in $CHROMIUM")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("results")
    hole = ("mislgan", "img-resnet18")
    write_folder(out / "one", rows=without(*hole), entry=failed(*hole))
    write_folder(out / "two", entry=other_networks)
    return write_site([build_standings(board) for board in boards_of(out)], out).parent


@pytest.fixture
def open_page(browser, site):
    """Opens a page; at the end nothing was said on the console and nothing asked of a network."""
    said, asked, contexts = [], [], []

    def go(address, width=1280, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{site.as_uri()}/{address}")
        return page

    yield go
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def names(page, body=0):
    """Attacks in the heat map from top to bottom, without those that a filter hides."""
    rows = page.locator(f"#heatmap tbody >> nth={body} >> tr:not([hidden])")
    return [row.get_attribute("data-name") for row in rows.all()]


def column(page, place):
    rows = page.locator("#heatmap tbody >> nth=0 >> tr")
    return rows.evaluate_all(f"rows => rows.map(row => row.cells[{place}].textContent.trim())")


def test_sorting_by_click_and_by_keyboard(open_page):
    page = open_page("one/index.html")
    place = 2 + page.locator("#heatmap th.upright").all_inner_texts().index("img-resnet18")
    head = page.locator("#heatmap thead tr:last-child th").nth(place)
    assert head.get_attribute("aria-sort") == "none"
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    values = column(page, place)
    assert sorted(values[:2], key=float, reverse=True) == values[:2]
    assert set(values[2:]) == {"–", "n/a"}  # a hole and what is undefined stay below
    head.locator("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    again = column(page, place)
    assert again[:2] == values[1::-1]
    assert set(again[2:]) == {"–", "n/a"}
    assert page.locator("#heatmap th[aria-sort=ascending]").count() == 1
    assert names(page, body=1) == ["identity", "jpeg-q85"]  # controls stay below the attacks


def test_a_view_is_in_its_address_and_comes_back_from_it(open_page):
    page = open_page("one/index.html")
    page.get_by_role("radio", name="UASR").check()
    page.get_by_role("searchbox").fill("cgan")
    page.get_by_role("combobox").select_option("pef")
    page.get_by_role("checkbox").uncheck()
    view = page.url.partition("#")[2]
    assert view == "measure=uasr&q=cgan&family=pef&controls=0"
    other = open_page(f"one/index.html#{view}")
    assert other.locator("#view-title").inner_text() == "UASR in distribution"
    assert names(other) == names(page) == ["cgan-img-wdf-pef", "cgan-img"]
    assert names(other, body=1) == []
    heads = other.locator("#heatmap th.upright:visible").all_inner_texts()
    assert heads == ["pef-resnet18"]


def test_the_split_changes_figures_and_takes_uasr_away(open_page):
    page = open_page("one/index.html")
    before = column(page, 3)
    assert page.locator("#ranking-in").is_visible()
    page.get_by_role("radio", name="out of distribution").check()
    assert page.locator("#view-title").inner_text() == "TASR out of distribution"
    assert column(page, 3) != before
    assert not page.locator("#ranking-in").is_visible()
    assert page.locator("#ranking-out").is_visible()
    assert page.get_by_role("radio", name="UASR").is_disabled()
    assert page.locator("figure[data-split]:visible").count() == 1
    assert page.url.endswith("#split=out")


def test_a_measure_sorts_by_itself_until_a_column_is_asked_for(open_page):
    page = open_page("one/index.html#measure=uasr")
    *whole, part = column(page, 1)
    means = [float(text) for text in whole]
    assert means == sorted(means, reverse=True)
    assert part.endswith("§")  # over fewer victims: below, however high


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone_that_shows_success_without_scrolling(open_page, scheme):
    addresses = ["one/attack-cgan-img-wdf-pef.html", "one/victim-img-resnet18.html"]
    for address in ("index.html", *addresses, "one/index.html"):
        page = open_page(address, width=390, scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
    head = page.locator("#ranking-in thead th").nth(1)
    assert head.inner_text().startswith("TASR")
    assert head.bounding_box()["x"] + head.bounding_box()["width"] <= 390


def test_no_label_of_the_committed_charts_covers_another(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    charts = 0
    for path in sorted(COMMITTED.glob("*/index.html")):
        page.goto(path.as_uri())
        for chart in page.locator("figure .scatter:visible").all():
            found = chart.locator("g text").evaluate_all(
                "all => all.map(one => [one.textContent, one.getBBox()]).map("
                "([name, b]) => [name, [b.x, b.y + 2, b.x + b.width, b.y + b.height - 2]])"
            )
            charts += 1
            for one, other in combinations(found, 2):
                assert not overlap(one[1], other[1]), (one, other)
    assert charts > 1
    page.close()


def test_without_the_script_everything_is_there(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.as_uri()}/one/index.html")
    assert page.locator("#ranking-in").is_visible()
    assert page.locator("#ranking-out").is_visible()
    assert not page.locator("#controls").is_visible()
    context.close()
