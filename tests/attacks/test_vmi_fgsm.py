import pytest
import torch

from attacks.vmi_fgsm import SEED
from tests.attacks.laacs import TARGETS, as_oracle, attack_of, same_steps, unit
from tests.toys import pixels


def test_it_is_torchattacks_with_the_same_neighbours(monkeypatch):
    torchattack = pytest.importorskip("torchattack")
    attack, images = attack_of("vmi-fgsm", eps_255=4.5), unit(pixels(1, 64, 72))
    plain = attack_of("mi-fgsm").transform(images, TARGETS[:1])
    neighbours, steps = attack.constants["neighbours"], attack.constants["steps"]

    def draws():
        for step in range(steps):
            random = torch.Generator().manual_seed(SEED + step)
            yield from (torch.rand(3, 64, 72, generator=random) for _ in range(neighbours))

    drawn = draws()
    monkeypatch.setattr(
        torch.Tensor,
        "uniform_",
        lambda self, low, high: self.copy_(low + (high - low) * next(drawn)),
    )
    oracle = as_oracle(torchattack.VMIFGSM, attack, n=neighbours, beta=attack.constants["beta"])
    expected = oracle(images, TARGETS[:1]).detach()
    with pytest.raises(StopIteration):
        next(drawn)
    found = attack.transform(images, TARGETS[:1])
    assert same_steps(found, expected, 0.45 / 255)
    assert not same_steps(plain, expected, 0.45 / 255)
