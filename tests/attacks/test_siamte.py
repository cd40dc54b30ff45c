import numpy as np
import pytest
import torch

from attacks.siamte import cross_identity, embedded_similarity, truncated_fidelity
from bench.contract import ATTACKS
from tests.toys import ToyVictim, built, camera_set, copied, fit_context, pixels, same_state

LAACS = ATTACKS.get("siamte").spec.surrogates


def build(**constants):
    made = built(ATTACKS, "siamte")
    made.constants = {**made.constants, **constants}
    return made


def trained(**constants):
    attack = build(**constants)
    torch.manual_seed(5)
    surrogates = {name: ToyVictim(name) for name in LAACS}
    before = {name: copied(one) for name, one in surrogates.items()}
    report = attack.fit(camera_set(), fit_context(surrogates=surrogates))
    assert all(same_state(before[n], one.state_dict()) for n, one in surrogates.items())
    return attack, report


def test_images_of_different_cameras_shall_be_near_to_each_other():
    embedded = torch.tensor([[0.0, 0.0], [100.0, 100.0], [1.0, 3.0]])
    found = embedded_similarity(embedded, torch.tensor([0, 0, 1]))
    assert float(found) == pytest.approx((2 + 98) / 2)  # the first two are of one camera
    assert float(embedded_similarity(embedded, torch.tensor([1, 1, 1]))) == 0


def test_a_change_within_the_threshold_is_free():
    images = torch.tensor([0.5, 0.5, 0.5, 0.5])
    changed = images + torch.tensor([2, -2, 5, -6]) / 255
    found = truncated_fidelity(images, changed, 2.0)
    assert float(found) == pytest.approx((0 + 0 + 3 + 4) / 255 / 4, rel=1e-4)


def test_a_trace_put_onto_another_erased_image_shall_be_erased_again():
    images = torch.tensor([[3.0], [10.0]])

    def halve(x):
        return x / 2

    erased = halve(images)  # 1.5 and 5; the traces are as large
    expected = np.mean([abs((1.5 + 5) / 2 - 1.5), abs((5 + 1.5) / 2 - 5)])
    assert float(cross_identity(halve, images, erased)) == pytest.approx(expected)
    assert float(cross_identity(torch.zeros_like, images, torch.zeros_like(images))) == 0


def test_it_starts_as_the_identity_and_trains_repeatably():
    images = pixels(2, 65, 97)
    assert torch.equal(build().eval()(images), images)
    attack, report = trained()
    assert not same_state(attack.state_dict(), build().state_dict())
    assert set(report.curves) == {"similarity", "fidelity", "identity"}
    assert same_state(attack.state_dict(), trained()[0].state_dict())


def test_training_brings_cameras_together(monkeypatch):
    monkeypatch.setattr(ToyVictim, "logits", lambda self, images: images.mean((2, 3)))
    _, report = trained(steps=40, batch=9, fidelity=0.0, identity=0.0, similarity=1.0, lr=1e-2)
    curve = [value for _, value in report.curves["similarity"]]
    assert curve[-1] < 0.8 * curve[0]
