import sys
from types import SimpleNamespace

import pytest

from bench.doctor import machine
from bench.doctor.machine import (
    check_devices,
    check_lpips,
    check_shadows,
    check_versions,
    cpu_features,
)
from bench.metrics.lpips import FEATURES, SHA256


def test_old_and_absent_packages_fail_with_a_remedy(monkeypatch):
    versions = {"torch": "2.5.1+cpu", "lpips": "not installed", "numpy": "10.0"}
    monkeypatch.setattr(machine, "package_versions", lambda: versions)
    wanted = {"torch": "2.6", "lpips": "0.1.4", "numpy": "1.26"}
    monkeypatch.setattr(machine, "least_versions", lambda: wanted)
    found = {one.check: one for one in check_versions()}
    assert (found["torch"].verdict, found["torch"].remedy) == ("fail", "pip install 'torch>=2.6'")
    assert found["lpips"].verdict == "fail"
    assert found["numpy"].verdict == "ok"


def test_vector_units_are_read_from_the_system(tmp_path):
    listed = tmp_path / "cpuinfo"
    listed.write_text("processor : 0\nflags : fpu avx2 avx512f amx_bf16 amx_tile\n\nflags : fpu\n")
    assert cpu_features(listed) == ["AVX2", "AVX-512", "AMX", "AMX bf16"]
    assert cpu_features(tmp_path / "none") is None


def test_a_cuda_device_is_told_with_its_memory(monkeypatch):
    made = SimpleNamespace(name="H200", major=9, minor=0)
    cuda = SimpleNamespace(
        is_available=lambda: True,
        device_count=lambda: 1,
        get_device_properties=lambda _: made,
        mem_get_info=lambda _: (70 * 2**30, 140 * 2**30),
        is_bf16_supported=lambda: True,
    )
    monkeypatch.setattr(machine.torch, "cuda", cuda)
    found = {one.check: one for one in check_devices()}
    assert "H200, 140 GiB (70 free), capability 9.0, bf16 yes" in found["cuda:0"].finding
    assert "threads" in found["processor"].finding


def test_folders_of_our_names_are_told(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert check_shadows([]).verdict == "ok"
    (tmp_path / "attacks").mkdir()
    found = check_shadows([])
    assert found.verdict == "warn"
    assert str(tmp_path / "attacks") in found.finding


def test_a_package_that_is_hidden_fails(monkeypatch, tmp_path):
    (tmp_path / "victims").mkdir()
    (tmp_path / "victims" / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "victims", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    found = check_shadows()
    assert found.verdict == "fail"
    assert str(tmp_path / "victims") in found.finding


@pytest.fixture(autouse=True)
def modules_as_before(monkeypatch):
    for name in list(sys.modules):
        if name.split(".")[0] == "victims":
            monkeypatch.setitem(sys.modules, name, sys.modules[name])


def test_damaged_weights_of_lpips_fail_with_their_remedy(monkeypatch):
    assert check_lpips().verdict == "ok"
    monkeypatch.setitem(SHA256, FEATURES, "0" * 64)
    found = check_lpips()
    assert (found.verdict, FEATURES in found.finding) == ("fail", True)
    assert "install" in found.remedy
