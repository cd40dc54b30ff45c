from bench.store import Store
from bench.suites.base import prepare
from bench.suites.dresden.source import DresdenSource
from bench.suites.show import counts
from tests.suites.dresden.test_source import MODELS, few, write


def test_counts_are_laid_out_as_table_1(tmp_path):
    folder = DresdenSource(write(tmp_path / "copy", few(2)), partial=True)
    suite = prepare(folder, Store(tmp_path / "store"), ("A", "B", "C"))
    rows = counts(suite)
    assert [row["camera model"] for row in rows] == [*MODELS, "total"]
    kodak, _, canon, total = rows
    assert kodak == {
        "camera model": "Kodak_M1063",
        "split": "in",
        "Set-A": 2,
        "devices A": "2",
        "Set-B": 2,
        "devices B": "0",
        "Set-C": 2,
        "devices C": "4",
    }
    assert (canon["split"], canon["Set-A"], canon["devices C"]) == ("out", 0, "2")
    assert (total["Set-A"], total["Set-B"], total["Set-C"]) == (4, 4, 6)
