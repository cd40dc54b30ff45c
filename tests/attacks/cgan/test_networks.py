import pytest
import torch

from attacks.cgan.networks import Discriminator, Generator, with_label_planes
from tests.toys import pixels, shaken


def scaled(count=2, height=64, width=64):
    """Images in [-1, 1], as both networks read them."""
    return pixels(count, height, width).float() / 127.5 - 1


def discriminator(width=4, classes=3):
    torch.manual_seed(0)
    return Discriminator(classes, width).eval()


def extent(gradient):
    """Height and width of the box that holds everything other than zero."""
    rows, columns = (gradient != 0).any(dim=(0, 1)).nonzero().unbind(1)
    return (int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1)


def test_the_receptive_field_is_34_at_the_constrained_layer_and_38_in_the_image():
    judge = discriminator()
    seen = []
    judge.filters.register_forward_hook(lambda *_: (_[-1].retain_grad(), seen.append(_[-1]))[0])
    images = scaled(1, 96, 112).requires_grad_()
    scores = judge(images, torch.tensor([1]))
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    assert extent(seen[0].grad) == (34, 34)
    assert extent(images.grad) == (38, 38)


def test_labels_enter_after_the_first_unconstrained_convolution():
    judge = discriminator(width=4, classes=5)
    images = scaled(2)
    first, second = [], []
    judge.first.register_forward_hook(lambda *_: first.append(_[-1]))
    judge.rest.register_forward_pre_hook(lambda module, inputs: second.append(inputs[0]))
    scores = [judge(images, torch.tensor(labels)) for labels in ([0, 4], [3, 4])]
    assert torch.equal(first[0], first[1])
    assert torch.equal(second[0], with_label_planes(first[0], torch.tensor([0, 4]), 5))
    assert (scores[0][0] != scores[1][0]).any()
    assert torch.equal(scores[0][1], scores[1][1])


@pytest.mark.parametrize("residual", [True, False])
def test_the_target_makes_a_difference(residual):
    generator = shaken(Generator(3, 4, residual=residual)).eval()
    images = scaled(2)
    one, other = (generator(images, torch.tensor(t)) for t in ([0, 1], [2, 1]))
    assert (one[0] - other[0]).abs().max() > 1e-4
    assert torch.equal(one[1], other[1])


def test_the_papers_generator_ends_in_tanh():
    generator = shaken(Generator(3, 4, residual=False), scale=3.0).eval()
    out = generator(scaled(), torch.tensor([0, 1]))
    assert 0.5 < out.abs().max() <= 1
    assert not generator.network.skip


def test_projected_labels_choose_among_maps_that_all_labels_share():
    torch.manual_seed(0)
    judge = Discriminator(3, 4, projected=True).eval()
    images, labels = scaled(3), torch.tensor([2, 0, 1])
    maps = []
    judge.rest.register_forward_hook(lambda *_: maps.append(_[-1]))
    scores = judge(images, labels)
    wanted = torch.stack([maps[0][i, 0] + maps[0][i, 1 + label] for i, label in enumerate(labels)])
    torch.testing.assert_close(scores, wanted[:, None])
    assert not torch.equal(scores, judge(images, labels.roll(1)))
