"""What an entry must say; the models are the schema, for strangers' programs too."""

import json

import pytest

from bench.records.entry import Entry, parse_entry, read_entry
from tests.toy_run import make_entry


def parsed(change=lambda entry: None, attack="mislgan"):
    entry = make_entry(attack)
    change(entry)
    return parse_entry(json.dumps(entry))


def test_what_is_written_is_what_was_read_with_further_fields():
    entry = make_entry("mislgan")
    entry["survival"] = {"jpeg": [70, 95]}
    entry["victims"][0]["optics"] = "fisheye"
    assert parse_entry(json.dumps(entry)).as_json() == entry


def test_the_schema_is_generated_and_names_what_is_required():
    schema = Entry.model_json_schema()
    assert {"schema", "attack", "victims", "suite", "provenance"} <= set(schema["required"])
    attack = schema["$defs"]["AttackRecord"]
    assert {"name", "key", "digest", "targeted"} <= set(attack["required"])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda e: e.pop("recipe"), "`recipe`: "),
        (lambda e: e["victims"][1].pop("digest"), "`victims.1.digest`: "),
        (lambda e: e.update(seed="0"), "`seed`: .*found '0'"),
        (lambda e: e.update(seed="0", recipe=1), "`recipe`: .*; `seed`: "),
        (lambda e: e.update(seed=True), "`seed`: .*found True"),
        (lambda e: e["attack"].update(targeted="yes"), "`attack.targeted`: "),
        (lambda e: e["attack"].update(name="../up"), "`attack.name`: "),
        (lambda e: e["attack"].update(label=1), "`attack.label`: "),
        (lambda e: e["victims"][2].update(classes=[]), "`victims.2.classes`: "),
        (lambda e: e["suite"].update(audit="fine"), "`suite.audit`: "),
        (lambda e: e["lpips"].update(version=0.1), "`lpips.version`: "),
        (lambda e: e["victims"].append(e["victims"][0]), "names a victim twice"),
        (lambda e: e.update(victims=None), "`victims`: "),
        (
            lambda e: e["provenance"].update(also_scored_by=[{"precision": 5}]),
            "`provenance.also_scored_by.0.precision`: .*found 5",
        ),
        (lambda e: e.update(schema=2), "has schema 2, this version reads 1; update camobench"),
        (lambda e: e.pop("schema"), "schema None.*run again"),
        (lambda e: e["attack"].update(coverage={"scored": 6, "wanted": 5}), "coverage of 6 of 5"),
        (lambda e: e["attack"].update(coverage={"scored": 0, "wanted": 5}), "coverage of 0 of 5"),
        (
            lambda e: e["attack"].update(coverage={"scored": 4, "wanted": 5}),
            "mislgan states that it is partial, which only",
        ),
    ],
)
def test_what_is_wrong_is_named(change, named):
    with pytest.raises(ValueError, match=named):
        parsed(change)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "[]", "\x00"])
def test_what_is_no_entry_is_refused(tmp_path, text):
    (tmp_path / "entry-x.json").write_text(text)
    with pytest.raises(ValueError, match=r"entry-x\.json "):
        read_entry(tmp_path / "entry-x.json")


def test_a_file_is_named_for_its_attack(tmp_path):
    (tmp_path / "entry-x.json").write_text(json.dumps(make_entry("mislgan")))
    with pytest.raises(ValueError, match=r"so its name is entry-mislgan\.json"):
        read_entry(tmp_path / "entry-x.json")


@pytest.mark.parametrize(
    ("record", "family"),
    [
        ({"family": "img", "name": "img-resnet12"}, "img"),
        ({"family": "img", "name": "img-resnet12", "plug_in": {"origin": "x"}}, "img-resnet12"),
        ({"family": "img"}, "mine"),
        ({"family": "pef", "name": "img-resnet12"}, "img-resnet12"),
        ({"family": "pef", "predictions_sha256": "0"}, "mine"),
        ({"family": "not stated", "plug_in": {"origin": "my.py:Net"}}, "mine"),
        ({"family": "colour", "plug_in": {"origin": "my.py:Net"}}, "colour"),
    ],
)
def test_only_the_protocols_own_are_in_its_families(record, family):
    entry = parsed(lambda entry: entry["victims"][0].update({"name": "mine"} | record))
    assert entry.victims[0].family == family


def test_rows_of_the_paper_are_its_own_alone():
    assert parsed(attack="cgan-img-wdf-pef").attack.is_full_method
    for stated in (
        {"plug_in": {"origin": "my.py:Net"}},
        {"paper_row": False},
        {"control": True},
        {"files_sha256": "0"},
    ):
        entry = parsed(lambda entry, s=stated: entry["attack"].update(s), "cgan-img-wdf-pef")
        assert (entry.attack.row, entry.attack.is_full_method) == (None, False)


def test_what_is_partial_says_so():
    whole, part = (
        parsed(
            lambda e, n=n: e["attack"].update(coverage={"scored": n, "wanted": 5}, files_sha256="0")
        ).attack
        for n in (5, 4)
    )
    assert (whole.partial, whole.marked) == (None, "mislgan")
    assert (str(part.partial), part.marked) == ("4 of 5 images", "mislgan (partial)")
