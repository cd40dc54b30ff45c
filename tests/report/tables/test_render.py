"""Tables that only some runs have: their files follow the rows, and who has none learns how."""

import re

import pytest

from bench.records.load import load_run
from bench.report.conditions.curve_tables import CURVES
from bench.report.conditions.survival import SURVIVAL
from bench.report.detection.scores import ROWS as SCORES
from bench.report.detection.tables import DETECTION
from bench.report.linkage import LINKAGE
from bench.report.linkage import ROWS as LINKS
from bench.report.tables.render import render_rows
from bench.report.verification.folder import verify_folder
from tests.report.conditions.test_curves import curved
from tests.report.conditions.test_survival import survived
from tests.report.detection.test_detection import scores_of
from tests.report.test_linkage import pce_of


@pytest.mark.parametrize(
    ("table", "measure", "remedy"),
    [
        (CURVES, curved, "camobench run --strength 0.25,0.5"),
        (SURVIVAL, survived, "camobench run --recompress 70,80"),
        (DETECTION, lambda f: scores_of(f).to_parquet(f / SCORES), "camobench detect"),
        (LINKAGE, lambda f: pce_of(f).to_parquet(f / LINKS), "camobench linkage"),
    ],
    ids=lambda value: getattr(value, "stem", None),
)
def test_files_follow_the_rows_that_a_command_makes(run_dir, table, measure, remedy):
    with pytest.raises(ValueError, match=re.escape(remedy)):
        table.build(load_run(run_dir))
    assert table.write(load_run(run_dir)) == []
    measure(run_dir)
    written = table.write(load_run(run_dir))
    suffixes = ("md", "csv", "tex", "svg") if table.draw else ("md", "csv", "tex")
    assert [path.name for path in written] == [f"{table.stem}.{suffix}" for suffix in suffixes]
    before = [path.read_bytes() for path in written]
    assert [path.read_bytes() for path in table.write(load_run(run_dir))] == before
    said = {one.check: one.verdict for one in verify_folder(run_dir)}
    assert {said[f"{table.stem}.{suffix}"] for suffix in suffixes[:3]} == {"ok"}
    assert "fail" not in said.values()
    assert "surplus files" not in said
    spoilt = run_dir / f"{table.stem}.csv"
    spoilt.write_text(spoilt.read_text().replace("mislgan", "fog", 1))
    assert {one.check for one in verify_folder(run_dir) if one.verdict == "fail"} == {spoilt.name}


def test_names_that_look_like_numbers_or_columns_stay_as_they_are():
    rows = [{"image": name, "share": 0.5} for name in ("007", "1e5")]
    text = render_rows(rows, "md") + render_rows([{"image": "LG|5", "share": 0.5}], "md")
    assert re.findall(r"\| (\S+) *\| +0\.5 \|", text) == ["007", "1e5", r"LG\|5"]
