import json

import pandas as pd
import pytest

from bench.suites.audit import record
from bench.suites.audit.record import audit_and_keep, audit_if_quick, kept_audit
from tests.smoke import toy_suite


@pytest.fixture
def suite(tmp_path):
    return toy_suite(tmp_path / "store")


def test_an_audit_is_kept_with_its_suite(suite):
    assert kept_audit(suite) is None
    found = audit_and_keep(suite)
    content = json.loads((suite.folder / "audit.json").read_text())
    assert content["fingerprint"] == suite.card.fingerprint
    assert content["suite"] == "toy-v1"
    assert content["verdict"] == found.verdict
    assert [check["check"] for check in content["checks"]] == [f.check for f in found.findings]
    assert content["camobench"]
    assert content["created"].startswith("20")
    kept = kept_audit(suite)
    assert kept is not None
    assert kept["verdict"] == found.verdict
    assert kept["checks"] == content["checks"]
    assert {"version", "camobench", "created"} <= kept.keys()


def test_an_audit_of_other_images_or_by_other_checks_is_none(suite):
    audit_and_keep(suite)
    file = suite.folder / "audit.json"
    content = json.loads(file.read_text())
    for name, value in (("version", 0), ("fingerprint", "e" * 64), ("manifests", {})):
        file.write_text(json.dumps(content | {name: value}))
        assert kept_audit(suite) is None, name
    file.write_text(json.dumps(content))
    assert kept_audit(suite) is not None
    path = suite.folder / "B" / "manifest.parquet"
    pd.read_parquet(path).assign(device="another").to_parquet(path, index=False)
    assert kept_audit(suite) is None


def test_an_audit_outlives_sets_that_are_no_longer_on_disk(suite):
    audit_and_keep(suite)
    (suite.folder / "A" / "manifest.parquet").unlink()
    assert kept_audit(suite) is not None


def test_a_small_suite_is_audited_once_all_sets_are_there(tmp_path, monkeypatch):
    part = toy_suite(tmp_path / "store", sets=("C",))
    audit_if_quick(part)
    assert kept_audit(part) is None
    whole = toy_suite(tmp_path / "store")
    audit_if_quick(whole)
    assert kept_audit(whole) is not None
    monkeypatch.setattr(record, "audit", lambda *args: pytest.fail("audited twice"))
    audit_if_quick(whole)


def test_a_large_suite_waits_to_be_asked(suite, monkeypatch):
    monkeypatch.setattr(record, "QUICK_BYTES", 1000)
    audit_if_quick(suite)
    assert kept_audit(suite) is None
