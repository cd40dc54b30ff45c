import json

import pytest

from bench.report.verification.entries import read_entry


@pytest.fixture
def entry(smoke, tmp_path):
    """A copy of a real entry, and how to change it."""
    content = json.loads((smoke.out / "entry-jpeg.json").read_text())
    path = tmp_path / "entry-jpeg.json"

    def write(change=lambda content: None):
        change(content)
        path.write_text(json.dumps(content))
        return read_entry(path)

    return write


def test_a_real_entry_is_complete(entry):
    content, verdict = entry()
    assert content["attack"]["name"] == "jpeg"
    assert verdict.verdict == "ok"
    assert "2 victims, suite simcam-smoke-v2, recipe smoke" in verdict.finding


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.pop("recipe"), "`recipe`: expected a text, is absent"),
        (lambda e: e.update(seed="0"), '`seed`: expected a whole number, found "0"'),
        (lambda e: e.update(seed=True), "`seed`: expected a whole number, found true"),
        (
            lambda e: e["victims"][1].pop("digest"),
            "`victims[1].digest`: expected a text, is absent",
        ),
        (lambda e: e["victims"].append(e["victims"][0]), "names a victim twice"),
        (lambda e: e["attack"].update(name="gpeg"), "so its name is entry-gpeg.json"),
        (lambda e: e.update(schema=9), "has schema 9, this version reads 1"),
        (lambda e: e.update(victims=None), "`victims`: expected a list, found null"),
    ],
)
def test_what_is_wrong_is_named(entry, change, message):
    content, verdict = entry(change)
    assert content is None
    assert verdict.verdict == "fail"
    assert message in verdict.finding


def test_what_is_no_json(tmp_path):
    path = tmp_path / "entry-jpeg.json"
    path.write_text("{")
    assert "is not readable JSON" in read_entry(path)[1].finding
