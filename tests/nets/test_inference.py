import pytest
import torch
from timm.layers import BatchNormAct2d
from torch import nn

from bench.nets.fast_layers import Arbitrated, CellConv2d, InFp32, SplitInputConv2d
from bench.nets.inference import folded, reduced
from bench.nets.johnson import JohnsonNet
from bench.nets.residual import UnrolledShrinkage
from tests.toys import shaken
from victims.densenet import build_densenet
from victims.resnet import build_resnet


def trained(network):
    """With weights and statistics that are not those of a fresh network."""
    generator = torch.Generator().manual_seed(1)
    for module in shaken(network).modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
    return network.eval()


def images(count=2, side=64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, side, side, generator=generator)


NETWORKS = {
    "resnet": lambda: build_resnet((1, 1, 1, 2), 3, 0.25),
    "densenet": lambda: build_densenet(40, 3, 0.5),
    "johnson": lambda: JohnsonNet(3, width=8),
    "johnson-skip": lambda: JohnsonNet(3, width=8, skip=True),
    "unrolled": lambda: UnrolledShrinkage(8),
}


@pytest.mark.parametrize("side", [64, 73])
@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_a_folded_network_is_the_same_function(name, side):
    network = trained(NETWORKS[name]())
    before = {key: value.clone() for key, value in network.state_dict().items()}
    expected = network(images(side=side))
    torch.testing.assert_close(folded(network)(images(side=side)), expected, rtol=1e-4, atol=1e-5)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def norms(network):
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def test_normalisations_after_convolutions_are_gone():
    assert norms(folded(NETWORKS["resnet"]())) == 0
    johnson = folded(NETWORKS["johnson"]())
    assert norms(johnson) == 0
    assert sum(isinstance(module, CellConv2d) for module in johnson.modules()) == 1
    densenet = NETWORKS["densenet"]()
    assert norms(densenet) == 40
    assert norms(folded(densenet)) == 21  # those before a convolution must stay


class Twice(nn.Module):
    """A convolution whose output is used again must keep its normalisation apart."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)

    def forward(self, x):
        features = self.conv(x)
        return self.norm(features) + features


class Shared(Twice):
    """One convolution called twice, once with a normalisation behind it."""

    def forward(self, x):
        return self.norm(self.conv(self.conv(x)))


@pytest.mark.parametrize("kind", [Twice, Shared])
@torch.no_grad()
def test_what_cannot_be_folded_stays(kind):
    network = trained(kind())
    torch.testing.assert_close(folded(network)(images()), network(images()))


@pytest.mark.parametrize("mode", ["reflect", "zeros", "replicate"])
@pytest.mark.parametrize("size", [(20, 20), (21, 24), (20, 23)])
@pytest.mark.parametrize("kernel", [5, 7])
@torch.no_grad()
def test_cells_are_the_convolution(kernel, size, mode):
    conv = nn.Conv2d(4, 3, kernel, padding=kernel // 2, padding_mode=mode)
    features = torch.randn(2, 4, *size)
    torch.testing.assert_close(CellConv2d(conv)(features), conv(features), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_close_calls_are_decided_by_the_exact_network():
    seen = []

    class Rounded(nn.Module):
        def forward(self, features):
            return torch.tensor([[5.0, 5.01, 0.0], [9.0, 1.0, 0.0], [0.0, 3.0, 2.99]])

    class Exact(nn.Module):
        def forward(self, features):
            seen.append(features.flatten().tolist())
            return torch.tensor([[5.02, 5.0, 0.0], [0.0, 2.98, 3.0]])

    features = torch.arange(3.0).view(3, 1, 1, 1)
    found = Arbitrated(Rounded(), Exact())(features)
    assert found.argmax(1).tolist() == [0, 0, 2]
    assert seen == [[0.0, 2.0]]
    assert found[1].tolist() == [9.0, 1.0, 0.0]


@pytest.mark.parametrize("name", ["resnet", "densenet"])
@torch.no_grad()
def test_a_reduced_network_is_close_and_not_equal(name):
    network = trained(NETWORKS[name]())
    x = (images(8) - 0.5) * 4
    expected, found = network(x), reduced(network)(x)
    assert found.dtype == torch.float32
    error = (found - expected).abs().max() / expected.std()
    assert 0 < error < 0.1


@torch.no_grad()
def test_the_input_of_a_reduced_network_has_16_bits():
    conv = nn.Conv2d(3, 4, 1, bias=False)
    conv.weight.copy_(conv.weight.bfloat16())  # exact weights: what is left is the input's error
    x = torch.rand(1, 3, 8, 8) - 0.5
    split = SplitInputConv2d(conv).bfloat16()
    exact = torch.cat((x.bfloat16().float(), (x - x.bfloat16().float()).bfloat16().float()), 1)
    assert (exact[:, :3] + exact[:, 3:] - x).abs().max() < 2**-16
    torch.testing.assert_close(split(x).float(), conv(x), rtol=2**-7, atol=2**-9)


class Winding(nn.Module):
    """Control flow on values, which no tracer follows."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x):
        features = self.norm(self.conv(x))
        return features.mean((2, 3)) if features.sum() > 0 else -features.mean((2, 3))


@torch.no_grad()
def test_a_network_that_cannot_be_followed_runs_under_autocast():
    network = trained(Winding())
    fast = reduced(network)
    assert isinstance(fast, InFp32)
    assert fast.autocast
    found = fast(images())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, network(images()), rtol=0.1, atol=0.05)


def test_timm_activates_after_it_normalises():
    network = trained(nn.Sequential(nn.Conv2d(3, 4, 3), BatchNormAct2d(4)))
    with torch.no_grad():
        torch.testing.assert_close(folded(network)(images()), network(images()))
    assert norms(folded(network)) == 0


@torch.no_grad()
def test_weights_that_a_parametrisation_changes_are_left_alone():
    network = trained(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
    torch.nn.utils.parametrizations.weight_norm(network[0])
    torch.testing.assert_close(folded(network)(images()), network(images()))
    assert norms(folded(network)) == 1
