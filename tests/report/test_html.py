"""The report is one self-contained file; its pictures are what was scored."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.metrics.success import TASR, UASR
from bench.records.load import load_run
from bench.report.figures import confusion_matrices, heat_map, success_scatter
from bench.report.html import lead_attack, report_html, write_report
from bench.report.pictures import (
    one_to_every_target,
    originals_and_anonymised,
    save_figure3,
    stretch,
)
from tests.conftest import ATTACKS, CLASSES, make_entry, write_run, write_samples
from tests.records.test_load import change


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def tags(page):
    parser = Tags()
    parser.feed(page)
    return parser.found


@pytest.fixture(scope="module")
def page(frames, tmp_path_factory):
    """One report for all that read it: drawing takes a second or two."""
    folder = tmp_path_factory.mktemp("report") / "run"
    entries = [make_entry(name) for name in ATTACKS]
    entries[3]["attack"]["label"] = "<script>a_b&c</script>"
    write_run(folder, *frames, entries)
    write_samples(folder / "samples")
    path = write_report(load_run(folder))
    assert path == folder / "report.html"
    return path.read_text(encoding="utf-8")


def test_the_report_is_self_contained(page):
    found = tags(page)
    sources = [attrs["src"] for tag, attrs in found if tag == "img"]
    assert len(sources) >= 15
    assert all(source.startswith("data:image/") for source in sources)
    assert all(attrs.get("alt") for tag, attrs in found if tag == "img")
    assert not [tag for tag, _ in found if tag in {"script", "link", "iframe", "object"}]
    assert not re.search(r"url\(|@import|https?://", page)


def test_names_are_escaped(page):
    assert "<script>" not in page
    assert "&lt;script&gt;a_b&amp;c&lt;/script&gt;" in page
    assert "split by device &lt;here&gt;" in page


@pytest.mark.parametrize(
    "text",
    [
        "Table 2.",
        "Table 3.",
        "Clean accuracy on",
        "<h2>The paper&#39;s claims on toy-v1</h2>",
        "<td>a. The full method beats MISLGAN in mean TASR, in and out of distribution</td>",
        "<td>2 of 2</td>",
        "<li>b: not measured. no row wdf; no row wdf†; no row pef; no row img+wdf; no row img+pef.",
        "<summary>The comparisons behind the claims on toy-v1</summary>",
        "98 ± 2<br>[95 ± 1]‡",
        "Not audited: `camobench data prepare toy-v1`",
        "LPIPS 0.1, alex (33333333).",
        "As the paper's Figure 3",
        "As the paper's Figure 4",
        "Confusion under img, wdf, pef, out of distribution",
        "numpy 2.0",
        "0123456789ab",
    ],
)
def test_tables_notes_and_provenance_are_there(page, text):
    assert text in page


def test_a_run_without_samples_or_targeted_attacks_still_reports(run_dir):
    path = run_dir / "predictions.parquet"
    frame = pd.read_parquet(path)
    frame[frame["attack"].isin(["identity", "jpeg-q85"])].to_parquet(path)
    for entry in run_dir.glob("entry-*.json"):
        if json.loads(entry.read_text())["attack"]["targeted"]:
            entry.unlink()
    frame = pd.read_parquet(run_dir / "distortion.parquet")
    frame[frame["target"].isna()].to_parquet(run_dir / "distortion.parquet")
    page = report_html(load_run(run_dir))
    assert "none of them targeted" in page
    assert "Figure 3" not in page


def test_lead_is_the_full_method_else_the_strongest(run_dir):
    run = load_run(run_dir)
    assert lead_attack(run).name == "cgan-img-wdf-pef"
    change(run_dir, "entry-cgan-img-wdf-pef.json", attack__scfa=True, attack__control=True)
    assert lead_attack(load_run(run_dir)).name == "mislgan"


def test_the_headline_praises_nothing_at_chance(run_dir):
    path = run_dir / "predictions.parquet"
    frame = pd.read_parquet(path)
    wrong = frame["target"].notna()
    frame.loc[wrong, "predicted"] = frame.loc[wrong, "source"]
    frame.to_parquet(path)
    page = report_html(load_run(run_dir))
    assert f"no more than chance ({100 / len(CLASSES):.0f} %)" in page


def test_charts_leave_out_what_is_undefined(run, tables):
    order = [attack.name for attack in run.attacks]
    assert heat_map(run, "out", UASR, order) is None
    assert heat_map(run, "in", TASR, ["identity", "jpeg-q85"]) is None
    assert success_scatter(run, tables["out"], UASR) is None
    assert confusion_matrices(run, "in", "unheard-of") is None
    assert heat_map(run, "in", UASR, order).startswith("<?xml")


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


def test_figure_3_is_originals_over_anonymised_enlarged(sampled_dir, tmp_path):
    run = load_run(sampled_dir)
    save_figure3(run, "cgan-img-wdf-pef", tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as image:
        sheet = np.asarray(image)
    picture = originals_and_anonymised(run, "cgan-img-wdf-pef")[0]
    for uri, top in ((picture.before, 0), (picture.after, sheet.shape[0])):
        with Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))) as image:
            tile = np.asarray(image.convert("RGB"))
        scale = 256 // tile.shape[0]
        enlarged = tile.repeat(scale, axis=0).repeat(scale, axis=1)
        start = top - len(enlarged) if top else 0
        shown = sheet[start : start + len(enlarged), : enlarged.shape[1]]
        np.testing.assert_array_equal(shown, enlarged)
    with pytest.raises(ValueError, match="holds no sample of mislgan"):
        save_figure3(run, "mislgan", tmp_path / "other.png")


def test_a_broken_picture_is_named(sampled_dir):
    (sampled_dir / "samples" / "cam-a.png").write_bytes(b"no PNG")
    with pytest.raises(ValueError, match=r"cam-a\.png is not a readable PNG"):
        originals_and_anonymised(load_run(sampled_dir), "cgan-img-wdf-pef")
    Image.new("RGB", (9, 9)).save(sampled_dir / "samples" / "cam-a.png")
    with pytest.raises(ValueError, match="one shape"):
        originals_and_anonymised(load_run(sampled_dir), "cgan-img-wdf-pef")


def test_charts_do_not_hang_on_settings_of_before(run_dir):
    run = load_run(run_dir)
    expected = heat_map(run, "in", UASR, [attack.name for attack in run.attacks])
    settings = {"font.size": 30, "axes.linewidth": 5, "font.family": "serif"}
    with mpl.rc_context(settings), np.printoptions(legacy="1.13"):
        found = heat_map(run, "in", UASR, [attack.name for attack in run.attacks])
    assert expected is not None
    assert found == expected
