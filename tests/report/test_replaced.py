import json

from bench.report.replaced import cells_in, replaced
from tests.conftest import make_entry


def test_cells_of_entries_without_those_that_failed(tmp_path):
    entry = make_entry("mislgan")
    names = {victim["name"] for victim in entry["victims"]}
    entry["failed"] = [{"victim": "img-resnet18", "reason": "x"}]
    (tmp_path / "entry-mislgan.json").write_text(json.dumps(entry))
    (tmp_path / "entry-broken.json").write_text('{"attack": 3}')
    (tmp_path / "entry-cut.json").write_text("{")
    assert cells_in(tmp_path) == {("mislgan", name) for name in names - {"img-resnet18"}}
    assert cells_in(tmp_path / "nothing") == frozenset()


def test_what_is_gone_is_said_in_one_line():
    one = frozenset((attack, victim) for attack in "ab" for victim in "vw")
    assert replaced(one, one) == ""
    assert replaced(frozenset(), one) == ""
    assert replaced(one, frozenset({("a", "v"), ("a", "w")})).startswith(
        "held the attacks b before"
    )
    said = replaced(one, frozenset({("a", "v")}))
    assert said.startswith("held the attacks b and the victims w before, which this run did not")
    assert replaced(one, one - {("b", "w")}).startswith("held 1 other cell before")
