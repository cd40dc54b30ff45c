import pytest

from bench.doctor.perception import check_lpips
from bench.metrics import lpips as own
from bench.metrics.lpips_golden import golden_file
from bench.store import Store, file_digest, read_json, write_json
from tests.metrics.test_lpips import trunk  # noqa: F401


def test_without_a_trunk_it_says_where_it_looked(tmp_path):
    (found,) = check_lpips(tmp_path / "store")
    assert found.verdict == "warn"
    assert "$CAMOBENCH_LPIPS_TRUNK" in found.finding
    assert "7be5be79" in found.finding
    assert found.remedy.startswith("Download it with")


def test_another_file_under_its_name_fails(monkeypatch, tmp_path):
    wrong = tmp_path / "alexnet.pth"
    wrong.write_bytes(b"x")
    monkeypatch.setenv(own.TRUNK_VARIABLE, str(wrong))
    (found,) = check_lpips(tmp_path / "store")
    assert found.verdict == "fail"
    assert file_digest(wrong) in found.finding


@pytest.fixture
def trusted(trunk, monkeypatch):  # noqa: F811
    monkeypatch.setattr(own, "TRUNK_PREFIX", file_digest(trunk)[:8])
    monkeypatch.setenv(own.TRUNK_VARIABLE, str(trunk))
    return trunk


def test_the_golden_value_is_recorded_and_then_compared(trusted, tmp_path):
    store = Store(tmp_path / "store")
    first = check_lpips(store.root)
    assert [one.verdict for one in first] == ["ok", "ok"]
    assert file_digest(trusted) in first[0].finding
    assert first[1].finding.endswith("recorded in the store now")
    assert check_lpips(store.root)[1].finding.endswith("as the store recorded it")
    kept = read_json(golden_file(store))
    write_json(golden_file(store), kept | {"value": kept["value"] * 1.01})
    assert check_lpips(store.root)[1].verdict == "fail"


def test_no_store_is_made_to_record_it(trusted, tmp_path):
    assert check_lpips(tmp_path / "store")[1].finding.endswith("no store yet to record it in")
    assert not (tmp_path / "store").exists()
