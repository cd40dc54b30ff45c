import torch

from bench.doctor import lpips as examined
from bench.doctor.lpips import check_lpips
from bench.metrics.lpips import FEATURES, SHA256, shipped_weights


def cached(monkeypatch, tmp_path):
    """Where torch would keep torchvision's file."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / examined.TORCHVISION
    path.parent.mkdir(parents=True)
    return path


def test_it_is_well_without_any_file_of_the_users(monkeypatch, tmp_path):
    cached(monkeypatch, tmp_path)
    (found,) = check_lpips()
    assert found.verdict == "ok"
    assert "0.2393689" in found.finding


def test_torchvisions_file_must_agree_tensor_by_tensor(monkeypatch, tmp_path):
    path = cached(monkeypatch, tmp_path)
    theirs = shipped_weights() | {"classifier.1.weight": torch.zeros(1)}
    torch.save(theirs, path)
    assert [one.verdict for one in check_lpips()] == ["ok", "ok"]
    theirs["features.6.bias"] = theirs["features.6.bias"] + 1e-6
    torch.save(theirs, path)
    found = list(check_lpips())[1]
    assert (found.verdict, "features.6.bias" in found.finding) == ("fail", True)
    assert "features.0" not in found.finding
    path.write_bytes(b"damaged")
    assert list(check_lpips())[1].verdict == "fail"


def test_a_damaged_weight_fails_with_its_remedy(monkeypatch):
    monkeypatch.setitem(SHA256, FEATURES, "0" * 64)
    (found,) = check_lpips()
    assert found.verdict == "fail"
    assert FEATURES in found.finding
    assert "install" in found.remedy
