import pytest
import torch
from timm.models.densenet import DenseLayer
from torch import nn
from torch.nn import functional as F

from bench.contract import VICTIMS
from bench.data import ExaminerSet
from bench.recipes import MINI, PAPER, SMOKE
from bench.training.residual import true_residuals
from tests.toys import built, camera_set, fit_context, pixels
from victims import convnet
from victims.densenet import build_densenet
from victims.specs import FRONT_ENDS, STREAMS


def skeleton(name, recipe=PAPER):
    """The backbone without memory behind its weights."""
    with torch.device("meta"):
        return built(VICTIMS, name, recipe).network


def weighted_layers(network):
    """Convolutions and linear layers; 1 x 1 shortcuts are not counted (He et al. 2016)."""
    return sum(
        isinstance(part, nn.Conv2d | nn.Linear) and ".downsample" not in name
        for name, part in network.named_modules()
    )


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("img-resnet12", 12),
        ("img-resnet18", 18),
        ("img-resnet34", 34),
        ("img-densenet40", 40),
        ("img-densenet100", 100),
    ],
)
@pytest.mark.parametrize("recipe", [PAPER, MINI, SMOKE])
def test_each_network_has_the_layers_in_its_name(name, layers, recipe):
    assert weighted_layers(skeleton(name, recipe)) == layers


@pytest.mark.parametrize(
    ("depth", "layers", "width", "growth"), [(40, 6, 1.0, 12), (100, 16, 0.5, 6)]
)
def test_densenets_are_bc(depth, layers, width, growth):
    with torch.device("meta"):
        network = build_densenet(depth, 6, width)
    dense = [part for part in network.modules() if isinstance(part, DenseLayer)]
    assert len(dense) == 3 * layers
    assert {layer.conv2.out_channels for layer in dense} == {growth}
    assert {layer.conv1.out_channels for layer in dense} == {4 * growth}  # bottleneck
    assert network.features.conv0.out_channels == 2 * growth  # 24 initial features
    channels = 2 * growth
    for block in (1, 2):
        channels += layers * growth
        conv = getattr(network.features, f"transition{block}").conv
        assert (conv.in_channels, conv.out_channels) == (channels, channels // 2)  # compression
        channels //= 2
    assert network.classifier.weight.shape == (6, channels + layers * growth)
    assert not hasattr(network.features, "transition3")


@pytest.mark.parametrize("name", ["pef-resnet12", "pef-densenet40"])
def test_the_pef_constraint_holds_after_every_optimiser_step(name):
    victim = built(VICTIMS, name).train()
    start = victim.filters.weight.detach().clone()
    budget = PAPER.classifiers["resnet"]
    sgd = torch.optim.SGD(victim.parameters(), budget.lr, budget.momentum)
    images, labels = pixels(4, 64, 64).float() / 255, torch.tensor([0, 1, 2, 0])
    for _ in range(5):
        sgd.zero_grad()
        F.cross_entropy(victim(images), labels).backward()
        sgd.step()
        weight = victim.filters.weight.detach()
        assert weight.shape == (3, 3, 5, 5)
        assert (weight[..., 2, 2] == -1).all()
        neighbours = weight.double().sum((2, 3)) + 1
        torch.testing.assert_close(neighbours, torch.ones(3, 3).double(), rtol=0, atol=1e-6)
    assert (victim.filters.weight - start).abs().max() > 1e-4


def test_front_ends_differ_in_what_the_backbone_sees():
    images = pixels(2, 64, 64).float() / 255
    seen = {}
    for front_end in FRONT_ENDS + STREAMS:
        victim = built(VICTIMS, f"{front_end}-resnet18").eval()
        victim.estimator = nn.Identity()  # hands the images over as if they were residuals
        victim.network.register_forward_pre_hook(
            lambda module, inputs, key=front_end: seen.update({key: inputs[0]})
        )
        victim(images)
        if front_end == "pef":
            in_grey_levels = victim.filters(images * 255)
    torch.testing.assert_close(seen["img"], images * 4 - 2)
    torch.testing.assert_close(seen["wdf"], images / 5)
    torch.testing.assert_close(seen["low"], images * (254 / 255) * 4 - 2)
    torch.testing.assert_close(seen["img-fd"][:, :3], images * 4 - 2)
    across = torch.diff(images * 255, n=3, dim=-1) / 5
    torch.testing.assert_close(seen["img-fd"][:, 3:6, :, 3:], across, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(seen["pef"], in_grey_levels / 5, rtol=1e-3, atol=1e-3)


@pytest.fixture
def fitted(monkeypatch):
    """What `fit` hands to the training loop, without training."""
    calls = []
    monkeypatch.setattr(convnet, "fit_classifier", lambda *arguments: calls.append(arguments))
    return calls


def test_wdf_trains_on_true_residuals_of_whole_images(fitted):
    victim, data = built(VICTIMS, "wdf-resnet12"), camera_set(ExaminerSet, side=96)
    victim.fit(data, fit_context())
    label, network, stack, handed, budget, _ = fitted[0]
    assert (label, handed, budget) == ("wdf-resnet12", data, SMOKE.classifiers["resnet"])
    assert torch.equal(stack, torch.from_numpy(true_residuals(data, torch.device("cpu"))))
    network.eval()
    residuals = stack[:2, :, :64, :64]
    assert torch.equal(network(residuals), victim.backbone(residuals))
    victim.attach(nn.Conv2d(3, 3, 3, padding=1), "digest")
    assert not any("estimator" in name for name, _ in network.named_parameters())
    images = pixels(2, 64, 64).float() / 255
    assert torch.equal(victim(images), victim.backbone(victim.estimator(images)))


def test_low_trains_on_images_without_their_true_residuals(fitted):
    victim, data = built(VICTIMS, "low-resnet18"), camera_set(ExaminerSet, side=96)
    victim.fit(data, fit_context())
    residuals = true_residuals(data, torch.device("cpu"))
    torch.testing.assert_close(fitted[0][2], torch.from_numpy((data.images - residuals) / 255))
    victim.attach(nn.Identity(), "digest")
    assert victim.frontend_digest is None  # what wdf victims share is not what it reads
