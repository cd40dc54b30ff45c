from bench.metrics.lpips import FEATURES, SHA256
from bench.verify.doctor import machine
from bench.verify.doctor.machine import check_lpips, check_versions


def test_old_and_absent_packages_fail_with_a_remedy(monkeypatch):
    versions = {"torch": "2.5.1+cpu", "lpips": "not installed", "numpy": "10.0"}
    monkeypatch.setattr(machine, "package_versions", lambda: versions)
    wanted = {"torch": "2.6", "lpips": "0.1.4", "numpy": "1.26"}
    monkeypatch.setattr(machine, "least_versions", lambda: wanted)
    found = {one.check: one for one in check_versions()}
    assert (found["torch"].verdict, found["torch"].remedy) == ("fail", "pip install 'torch>=2.6'")
    assert found["lpips"].verdict == "fail"
    assert found["numpy"].verdict == "ok"


def test_damaged_weights_of_lpips_fail_with_their_remedy(monkeypatch):
    assert check_lpips().verdict == "ok"
    monkeypatch.setitem(SHA256, FEATURES, "0" * 64)
    found = check_lpips()
    assert (found.verdict, FEATURES in found.finding) == ("fail", True)
    assert "install" in found.remedy
