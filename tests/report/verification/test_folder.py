import pytest

from bench.report.verification.folder import compare_file, verify_entry, verify_folder
from bench.verdicts import failed
from tests.toy_run import edit_json, rewrite


def verdicts(folder):
    return {one.check: one for one in verify_folder(folder)}


def test_a_run_verifies_as_it_was_written(smoke):
    found = verdicts(smoke.out)
    assert {one.verdict for one in found.values()} <= {"ok", "skip"}, found
    for name in ("table2.md", "claims.csv", "victims.tex", "report.html", "victims.html"):
        assert found[name].finding == "recomputed, the same to the byte"
    assert "2 victims x" in found["predictions of cgan-img"].finding


def test_missing_and_surplus_rows_are_named(smoke_copy):
    def without_one(frame):
        chosen = (frame["attack"] == "cgan-img") & (frame["victim"] == "wdf-resnet12")
        return frame.drop(frame[chosen].index[0])

    rewrite(smoke_copy.out, "predictions", without_one)
    found = verdicts(smoke_copy.out)
    assert found["predictions of cgan-img"].verdict == "fail"
    assert "1 row missing (wdf-resnet12): C-simcam-01" in found["predictions of cgan-img"].finding
    assert found["predictions of jpeg"].verdict == "ok"
    assert found["table2.csv"].verdict == "fail"


def test_changed_values_that_fit_together_still_change_the_tables(smoke_copy):
    rewrite(smoke_copy.out, "distortion", lambda f: f.assign(psnr_db=f["psnr_db"] + 1))
    found = verdicts(smoke_copy.out)
    assert found["distortion of jpeg"].verdict == "ok"
    assert {found[name].verdict for name in ("table2.md", "table2.csv", "table2.tex")} == {"fail"}
    assert found["clean_accuracy.csv"].verdict == "ok"


def test_surplus_and_missing_files_are_named(smoke_copy):
    (smoke_copy.out / "claims.md").unlink()
    (smoke_copy.out / "mine.csv").write_text("a\n1\n")
    found = verdicts(smoke_copy.out)
    assert found["missing files"].finding.endswith("claims.md")
    assert found["surplus files"].finding.endswith("mine.csv")
    assert failed(found.values()) == []


@pytest.mark.parametrize("name", ["predictions.parquet", "entry-jpeg.json"])
def test_damaged_files_fail(smoke_copy, name):
    (smoke_copy.out / name).write_bytes(b"PAR1")
    assert name in failed(verify_folder(smoke_copy.out))


def test_an_empty_folder_fails(tmp_path):
    assert failed(verify_folder(tmp_path)) == ["entries"]


def test_one_entry(smoke, tmp_path):
    found = verify_entry(smoke.out / "entry-jpeg.json")
    assert [one.check for one in found] == [
        "entry-jpeg.json",
        "images",
        "predictions of jpeg",
        "distortion of jpeg",
    ]
    assert failed(found) == []
    alone = tmp_path / "entry-jpeg.json"
    alone.write_bytes((smoke.out / "entry-jpeg.json").read_bytes())
    assert [one.verdict for one in verify_entry(alone)] == ["ok", "skip"]


@pytest.fixture
def partial(smoke_copy):
    """cgan-img without one image and target, and an entry that says so."""

    def without_one(frame):
        rows = frame[frame["attack"] == "cgan-img"]
        first = rows[["image_id", "target"]].iloc[0]
        gone = (rows["image_id"] == first["image_id"]) & (rows["target"] == first["target"])
        return frame.drop(rows.index[gone])

    for name in ("predictions", "distortion"):
        rewrite(smoke_copy.out, name, without_one)
    state(smoke_copy.out, 17, 18)
    return smoke_copy.out


def state(folder, scored, wanted):
    coverage = {"coverage": {"scored": scored, "wanted": wanted}, "files_sha256": "0"}
    edit_json(folder / "entry-cgan-img.json", lambda entry: entry["attack"].update(coverage))


def test_a_partial_row_lacks_what_its_entry_says_and_no_more(partial):
    both = ("predictions of cgan-img", "distortion of cgan-img")
    assert [verdicts(partial)[name].verdict for name in both] == ["ok", "ok"]
    assert verdicts(partial)["entry-cgan-img.json"].finding.startswith("partial, 17 of 18 images: ")
    state(partial, 16, 18)
    for name in both:
        assert "the entry says 16 of 18 images, there are 17" in verdicts(partial)[name].finding
    state(partial, 18, 18)
    for name in both:
        assert verdicts(partial)[name].finding.startswith("1 row missing")


def compared(tmp_path, found, fresh):
    path = tmp_path / "table2.md"
    path.write_text(found)
    return compare_file(path, fresh)


FRESH = "| jpeg | 1.5 |\n\n- Mean 84 %\n<img src='data:image/png;base64,AAAA'>\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.5", "1.6"),
        ("84", "85"),
        ("jpeg", "median"),
        ("Mean", "The mean"),
        ("\n\n", "\n<script>alert(1)</script>\n"),
        ("- Mean 84 %\n", ""),
        ("AAAA'>\n", "AAAA'>\nBest of all\n"),
        ("AAAA'>\n", "AAAA'>\n\n"),
        ("AAAA'>\n", "AAAA'>"),
        ("'data", "'https://example.org/data"),
    ],
)
def test_whatever_else_it_holds_fails_and_its_line_is_named(tmp_path, old, new):
    found = compared(tmp_path, FRESH.replace(old, new, 1), FRESH)
    assert found.verdict == "fail"
    assert found.finding.startswith("line ")
    assert "recomputed" in found.finding


def test_pictures_may_be_drawn_otherwise(tmp_path):
    assert compared(tmp_path, FRESH.replace("AAAA", "BBBB"), FRESH).verdict == "warn"
