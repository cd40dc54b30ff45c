"""Report and cards are self-contained files; their pictures are what was scored."""

import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from bench.metrics.success import UASR
from bench.records.load import load_run
from bench.report.pages.pictures import (
    one_to_every_target,
    originals_and_anonymised,
    save_figure3,
    stretch,
)
from bench.report.pages.report import (
    heat_map,
    lead_attack,
    report_html,
    victims_html,
    write_report,
)
from bench.report.statistics import rates_of
from tests.records.test_networks import network_record, write_networks
from tests.report.leaderboard.folders import without
from tests.toy_run import (
    ATTACKS,
    CLASSES,
    VICTIMS,
    edit_json,
    make_entry,
    rewrite,
    write_run,
    write_samples,
)


class Page(HTMLParser):
    """Tags and addresses of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.tags = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.links += [value for name, value in attrs if name in ("href", "src") and value]


def alone(text):
    """Tags of a page, none of which asks for another file."""
    tags = Page(text).tags
    images = [attrs for tag, attrs in tags if tag == "img"]
    assert all(image["src"].startswith("data:image/") and image["alt"] for image in images)
    assert not [tag for tag, _ in tags if tag in {"script", "link", "iframe", "object"}]
    assert not re.search(r"url\(|@import|https?://", text)
    return tags


@pytest.fixture(scope="module")
def page(frames, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "run"
    entries = [make_entry(name) for name in ATTACKS]
    entries[3]["attack"]["label"] = "<script>a_b&c</script>"
    write_run(folder, *frames, entries)
    write_samples(folder / "samples")
    return write_report(load_run(folder)).read_text(encoding="utf-8")


def test_the_report_is_self_contained_and_escapes_names(page):
    found = alone(page)
    assert sum(tag == "img" for tag, _ in found) == 2 * 4 + 5
    assert sum(attrs.get("class") == "scatter" for _, attrs in found) == 3
    assert "<script>" not in page
    assert "&lt;script&gt;a_b&amp;c&lt;/script&gt;" in page
    for text in (
        "Table 2.",
        "Table 3.",
        "Clean accuracy on",
        "<td>a. The full method beats MISLGAN in mean TASR, in and out of distribution</td>",
        "98 ± 2<br>[95 ± 1]‡",
        "As the paper's Figure 3",
        "As the paper's Figure 4",
        "UASR of every attack on every victim, in distribution",
        "What victims say by source camera, out of distribution, under img, wdf, pef",
        "numpy 2.0",
        "0123456789ab",
        "Not audited: <code>camobench data prepare",
    ):
        assert text in page


def test_a_run_without_samples_or_targeted_attacks_still_reports(run_dir):
    for name in ("predictions", "distortion"):
        rewrite(run_dir, name, lambda rows: rows[rows["target"].isna()])
    for entry in run_dir.glob("entry-*.json"):
        if json.loads(entry.read_text())["attack"]["targeted"]:
            entry.unlink()
    page = report_html(load_run(run_dir))
    assert "none of them targeted" in page
    assert "Figure 3" not in page


def test_the_headline_praises_nothing_at_chance(run):
    rows = run.predictions
    wrong = rows.assign(predicted=rows["predicted"].where(rows["target"].isna(), rows["source"]))
    page = report_html(replace(run, predictions=wrong))
    assert f"no more than chance ({100 / len(CLASSES):.0f} %)" in page


def test_the_headline_counts_the_victims_that_its_mean_is_over(run):
    for attack, number in (("mislgan", 5), ("cgan-img-wdf-pef", 4)):
        rows = without(attack, "img-resnet18")(run.predictions)
        assert f"makes {number} classifiers" in report_html(replace(run, predictions=rows))


def test_clean_accuracy_on_top_is_of_the_victims_that_means_are_over(run_dir):
    def blind(rows):
        mine = rows["victim"] == "img-densenet40"
        return rows.assign(predicted=rows["predicted"].mask(mine, "cam-x"))

    def on_top():
        page = report_html(load_run(run_dir))
        return int(re.search(r"Clean accuracy of the victims</dt><dd>(\d+)", page)[1])

    before = on_top()
    rewrite(run_dir, "predictions", blind)
    assert on_top() == pytest.approx(before * 4 / 5, abs=1)
    for path in run_dir.glob("entry-*.json"):
        edit_json(path, lambda entry: entry["victims"][-1].update(family="colour"))
    assert on_top() == pytest.approx(before, abs=1)


def test_the_strongest_attack_is_one_that_as_many_victims_saw_as_any(run):
    others = tuple(e for e in run.entries if e.attack.name != "cgan-img-wdf-pef")
    no_mean = {"mislgan": ["pef-resnet18"], "cgan-img": ["wdf-resnet18", "img-resnet18"]}
    for lost, strongest in (({}, "pef"), ({"mislgan": ["img-resnet18"]}, "img"), (no_mean, "img")):
        rows = run.predictions
        for attack, victims in lost.items():
            rows = rows[(rows["attack"] != attack) | ~rows["victim"].isin(victims)]
        found = lead_attack(replace(run, entries=others, predictions=rows))
        assert found.laac == (strongest,)


def test_the_heat_map_is_what_the_rates_are_with_families_side_by_side(run, tables, page):
    assert heat_map(run, "out", UASR, tables) is None
    shuffled = replace(run, victims=run.victims[::2] + run.victims[1::2])
    found, rates = heat_map(shuffled, "in", UASR, tables), rates_of(run, "in")
    assert list(found.rows)[-1] == "jpeg-q85"
    mine = rates[rates["attack"] == "mislgan"].set_index("victim")["uasr"]
    expected = [f"{100 * mine[victim]:.1f}" for victim in found.columns]
    assert list(found.rows["mislgan"]) == expected
    assert found.groups == (("wdf", 2), ("pef", 1), ("img", 2))
    assert page.count('<p class="scale">0 %<i class="l0">') == 3


def test_stretch_against_its_formula():
    random = np.random.default_rng(0)
    original, anonymised = random.integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    difference = anonymised.astype(float) - original
    low, high = difference.mean() - difference.std(), difference.mean() + difference.std()
    expected = 255 * (np.clip(difference, low, high) - low) / (high - low)
    np.testing.assert_allclose(stretch(original, anonymised), expected, atol=0.5 + 1e-9)
    assert set(stretch(original, original).ravel()) == {128}


def test_pictures_are_the_very_files_that_were_kept(sampled_dir):
    run = load_run(sampled_dir)
    pictures = originals_and_anonymised(run, "cgan-img-wdf-pef")
    assert [picture.source for picture in pictures] == ["cam-a", "cam-b", "cam-c", "other-x"]
    assert all(picture.source != picture.target for picture in pictures)
    first = pictures[0]
    kept = (sampled_dir / "samples" / f"cam-a-{first.target}.png").read_bytes()
    assert base64.b64decode(first.after.split(",")[1]) == kept
    to_all = one_to_every_target(run, "cgan-img-wdf-pef")
    assert [(p.source, p.target) for p in to_all] == [("cam-a", "cam-b"), ("cam-a", "cam-c")]
    assert one_to_every_target(run, "mislgan") == []
    save_figure3(run, "cgan-img-wdf-pef", sampled_dir / "figure.png")
    sheet = pixels((sampled_dir / "figure.png").read_bytes())
    for uri, top in ((first.before, 0), (first.after, sheet.shape[0] - 240)):
        tile = pixels(base64.b64decode(uri.split(",")[1])).repeat(5, axis=0).repeat(5, axis=1)
        np.testing.assert_array_equal(sheet[top : top + 240, :240], tile)


def pixels(png):
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


def test_every_victim_has_a_card(run_dir):
    write_networks(run_dir)
    page = victims_html(load_run(run_dir))
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
    page = victims_html(load_run(run_dir))
    assert page.count("<dd>not recorded</dd>") == 6 * len(VICTIMS)
    assert page.count("Training curve: not recorded.") == len(VICTIMS)
    write_networks(run_dir, [network_record("img-resnet18", training=None)])
    page = victims_html(load_run(run_dir))
    assert page.count("<dd>nothing to learn</dd>") == 2
    assert "Training curve: nothing to learn." in page
