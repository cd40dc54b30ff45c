import warnings
from pathlib import Path

import lpips
import pytest
import torch
import torchvision

from bench.metrics import lpips as own
from bench.metrics.lpips import Lpips, LpipsUnavailableError, find_trunk, load_lpips
from bench.store import file_digest
from tests.toys import pixels

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def trunk(tmp_path_factory):
    """A file with the names and shapes of torchvision's AlexNet, of random weights."""
    path = tmp_path_factory.mktemp("trunk") / "alexnet-random.pth"
    torch.manual_seed(0)
    features = torchvision.models.alexnet(weights=None).features.state_dict()
    torch.save({f"features.{name}": value for name, value in features.items()}, path)
    return path


@pytest.fixture
def trusted(trunk, monkeypatch):
    monkeypatch.setattr(own, "TRUNK_PREFIX", file_digest(trunk)[:8])
    return trunk


def linear_weights():
    path = Path(lpips.__file__).parent / "weights" / "v0.1" / "alex.pth"
    return torch.load(path, map_location="cpu", weights_only=True)


def packages_own(trunk):
    """What the `lpips` package builds itself, the trunk's layers filled in by their order."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False).eval()
    weights = torch.load(trunk, weights_only=True)
    for parameter, value in zip(network.net.parameters(), weights.values(), strict=True):
        parameter.data.copy_(value)
    return network


def test_values_are_the_packages_own(trusted):
    one, other = pixels(3, 64, 80), pixels(3, 64, 80, seed=1)
    with torch.no_grad():
        expected = packages_own(trusted)(one / 127.5 - 1, other / 127.5 - 1).reshape(3)
    found = Lpips(CPU, trusted)(one, other)
    torch.testing.assert_close(found, expected)
    assert found.std() > 0


def test_originals_that_are_shared_are_given_once(trusted):
    originals, anonymised = pixels(2, 64, 80), pixels(5, 64, 80, seed=1)
    place = torch.tensor([0, 0, 1, 1, 0])
    metric = Lpips(CPU, trusted)
    torch.testing.assert_close(
        metric(originals, anonymised, place), metric(originals[place], anonymised)
    )


def test_values_are_those_of_the_formula(trusted):
    """Zhang et al. 2018, Eq. 1, from torchvision's own network."""
    torch.manual_seed(0)
    features = torchvision.models.alexnet(weights=None).features.eval()
    one, other = pixels(2, 64, 64), pixels(2, 64, 64, seed=1)
    shift = torch.tensor([-0.030, -0.088, -0.188])[:, None, None]
    scale = torch.tensor([0.458, 0.448, 0.450])[:, None, None]
    total = torch.zeros(2)
    with torch.no_grad():
        for layer, depth in enumerate((2, 5, 8, 10, 12)):
            unit = []
            for images in (one, other):
                activations = features[:depth](((images / 127.5 - 1) - shift) / scale)
                unit.append(activations / (activations.norm(dim=1, keepdim=True) + 1e-10))
            weight = linear_weights()[f"lin{layer}.model.1.weight"]
            total += ((unit[0] - unit[1]).square() * weight).sum(1).mean((1, 2))
    torch.testing.assert_close(Lpips(CPU, trusted)(one, other), total, rtol=1e-4, atol=1e-6)


def test_linear_weights_are_those_of_version_0_1(trusted):
    network = Lpips(CPU, trusted)._network
    assert own.VERSION == network.version == "0.1"
    for name, value in linear_weights().items():
        assert torch.equal(network.get_parameter(name), value), name
    assert not any(weight.requires_grad for weight in network.parameters())
    assert not network.training


def test_equal_images_are_at_no_distance(trusted):
    images = pixels(2, 64, 64)
    assert Lpips(CPU, trusted)(images, images.clone()).tolist() == [0, 0]


def test_a_trunk_of_another_checksum_is_refused(trunk):
    with pytest.raises(
        LpipsUnavailableError, match=r"has SHA-256 .*expected 7be5be79.*fetch it ag"
    ):
        Lpips(CPU, trunk)


def test_without_a_trunk_the_reason_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.delenv(own.TRUNK_VARIABLE)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    metric, record = load_lpips(CPU)
    assert metric is None
    assert (record["available"], record["version"], record["net"]) == (False, "0.1", "alex")
    reason = record["reason"]
    assert "alexnet-owt-7be5be79.pth is not in torch's hub cache" in reason
    assert "$CAMOBENCH_LPIPS_TRUNK" in reason
    assert str(tmp_path) not in reason  # it is printed under tables


def test_the_trunk_is_looked_for_in_the_variable_then_in_torchs_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cached = tmp_path / "hub" / "checkpoints" / own.TRUNK_FILE
    cached.parent.mkdir(parents=True)
    cached.touch()
    monkeypatch.delenv(own.TRUNK_VARIABLE)
    assert find_trunk() == cached
    named = tmp_path / "named.pth"
    monkeypatch.setenv(own.TRUNK_VARIABLE, str(named))
    with pytest.raises(LpipsUnavailableError, match=r"is not where \$CAMOBENCH_LPIPS_TRUNK says"):
        find_trunk()
    named.touch()
    assert find_trunk() == named


def test_a_metric_is_recorded_with_its_trunk(trusted, monkeypatch):
    monkeypatch.setenv(own.TRUNK_VARIABLE, str(trusted))
    metric, record = load_lpips(CPU)
    assert metric is not None
    assert record["available"] is True
    assert record["trunk_sha256"] == file_digest(trusted)


def test_a_damaged_trunk_is_a_reason_and_never_a_number(trunk, monkeypatch):
    monkeypatch.setenv(own.TRUNK_VARIABLE, str(trunk))
    metric, record = load_lpips(CPU)
    assert metric is None
    assert "remove it and fetch it again" in record["reason"]
