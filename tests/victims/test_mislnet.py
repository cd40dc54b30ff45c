import torch
from torch import nn
from torch.nn import functional as F

from bench.contract import VICTIMS
from bench.recipes import PAPER
from tests.toys import built, pixels


def build():
    return built(VICTIMS, "mislnet", PAPER).eval()


def test_its_layers_are_the_papers():
    convolutions = [part for part in build().network.modules() if isinstance(part, nn.Conv2d)]
    assert [tuple(one.weight.shape) for one in convolutions] == [
        (96, 3, 7, 7),
        (64, 96, 5, 5),
        (64, 64, 5, 5),
        (128, 64, 1, 1),
    ]
    dense = [part for part in build().network.modules() if isinstance(part, nn.Linear)]
    assert [tuple(one.weight.shape) for one in dense] == [(200, 128), (200, 200), (3, 200)]


def test_it_reads_prediction_errors_of_the_green_plane_alone():
    victim, images = build(), pixels(2, 64, 64).float() / 255
    seen = []
    victim.network[1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    logits = victim(images)
    weight = victim.network[0].weight
    assert weight.shape == (3, 1, 5, 5)
    assert (weight[..., 2, 2] == -1).all()
    torch.testing.assert_close(weight.sum((2, 3)), torch.zeros(3, 1), rtol=0, atol=1e-6)
    inner = F.conv2d(images[:, 1:2] * 51, weight)
    torch.testing.assert_close(seen[0][..., 2:-2, 2:-2], inner, rtol=0, atol=1e-4)
    other = images.clone()
    other[:, 0::2] = 0.5
    assert torch.equal(victim(other), logits)
    assert not torch.equal(victim(images.roll(1, 1)), logits)


def test_an_image_has_the_mean_logits_of_its_patches():
    victim, images = build(), pixels(1, 130, 64).float() / 255
    parts = torch.stack([victim(images[:, :, :64]), victim(images[:, :, 64:128])])
    torch.testing.assert_close(victim(images), parts.mean(0))
