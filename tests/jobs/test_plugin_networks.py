"""Networks of plug-ins: trained, stored and opened again as their authors wrote them."""

from contextlib import nullcontext

import pytest
import torch

from bench.contract.plugin_files import load_plugin_file
from bench.types import CamobenchError
from tests.plugins import write
from tests.smoke import toy_session
from tests.toys import pixels

pytestmark = pytest.mark.usefixtures("own_registries")
GRADIENT_STEP = """
    import torch

    import camobench

    SURROGATE = "img-resnet18"


    class GradientStep(camobench.Attack):
        spec = camobench.AttackSpec(name="gradient-step", surrogates=(SURROGATE,), licence="MIT")
        step_l2 = 6.0

        @property
        def hyperparameters(self):  # hashed into its key, and shown in its entry
            return {"step_l2": self.step_l2}

        def __init__(self, spec=None, *, classes=(), recipe=None):
            super().__init__(spec, classes=classes, recipe=recipe)
            self.surrogate = camobench.untrained_victim(SURROGATE, classes, recipe)

        def fit(self, data, context):
            self.surrogate.load_state_dict(context.surrogates[SURROGATE].state_dict())
            return camobench.FitReport()

        def transform(self, images, targets):
            with torch.enable_grad():
                images = images.requires_grad_()
                loss = torch.nn.functional.cross_entropy(self.surrogate.logits(images), targets)
                (gradient,) = torch.autograd.grad(loss, images)
            length = gradient.flatten(1).norm(dim=1)[:, None, None, None]
            return images.detach() - self.step_l2 * gradient / length.clamp(min=1e-12)
"""
PROTOTYPES = """
    import time

    import torch

    import camobench


    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("centres", None)
            self.register_buffer("weights", torch.zeros(0))


    class Prototypes(camobench.Attack):
        spec = camobench.AttackSpec(name="prototypes", targeted=False)

        def __init__(self, spec=None, *, classes=(), recipe=None):
            super().__init__(spec, classes=classes, recipe=recipe)
            self.layer, self.mix = Layer(), torch.nn.Conv2d(3, 3, 3, padding=1)
            self.register_buffer("window", torch.ones(5), persistent=False)
            self.register_buffer("calls", torch.zeros(()))

        def fit(self, data, context):
            images = torch.from_numpy(data.images).float().mean((2, 3)) / 255
            self.layer.centres, self.layer.weights = images.unique(dim=0), torch.arange(7)
            time.sleep(0.2)
            loss = images.requires_grad_().mean()
            return camobench.FitReport(figures={"loss": loss}, curves={"loss": [(1, loss)]})

        def transform(self, images, targets):
            self.calls += 1
            flat = images.view(len(images), -1)
            weight = self.mix.weight.view(3, -1).abs().mean()
            shift = self.layer.centres.mean() * self.window.mean() * self.layer.weights[2] * weight
            return (flat * 0.9 + shift).view(images.shape)
"""


def trained(tmp_path, name):
    """One attack, trained on a toy suite."""
    session = toy_session(tmp_path / "store", [name])
    session.train()
    return session


@pytest.mark.parametrize("surrogate", ["img-resnet18", "pef-resnet18", "wdf-resnet18"])
def test_a_surrogate_that_an_attack_keeps(tmp_path, surrogate):
    text = GRADIENT_STEP.replace("img-resnet18", surrogate)
    path = write(tmp_path / "fgm.py", text)
    load_plugin_file(f"{path}:GradientStep")
    opened = trained(tmp_path, "gradient-step").networks
    attack, source = opened.attack("gradient-step"), opened.surrogate(surrogate)
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(attack.surrogate.logits(images), source.logits(images))
        made = attack(pixels(2, 64, 64), torch.tensor([0, 1]))
    assert not torch.equal(made, pixels(2, 64, 64))
    leaf = images.requires_grad_()
    (gradient,) = torch.autograd.grad(source.logits(leaf).sum(), leaf)
    assert gradient.view(2, -1).abs().sum() > 0  # as attacks write it: laid out as the images are


def test_sizes_that_are_learnt_and_plain_memory(tmp_path):
    load_plugin_file(f"{write(tmp_path / 'my.py', PROTOTYPES)}:Prototypes")
    session = trained(tmp_path, "prototypes")
    attack = session.networks.attack("prototypes")
    assert attack.layer.centres.shape[1:] == (3,)
    assert attack.layer.weights.tolist() == list(range(7))
    assert attack.calls == 0
    assert attack(pixels(3, 64, 80)).shape == (3, 3, 64, 80)
    card = session.shelf.find("attack", "prototypes", session.graph.attacks["prototypes"]).card
    assert 0.2 <= card["seconds"] < 30
    assert card["curves"]["loss"][0] == [1, pytest.approx(card["figures"]["loss"], abs=1e-6)]


@pytest.mark.parametrize(
    ("learnt", "told"),
    [
        ("mean / 99", True),  # a grey level
        ("0 * self.kept[0]", True),  # which a restored one has not
        ("mean * (targets != own)[:, None]", True),
        ("mean + torch.rand(1)", True),
        ("mean + torch.rand(flat.shape, generator=(g := torch.Generator(), g.seed())[0])", False),
    ],
)
def test_what_fit_learns_and_no_checkpoint_holds_is_told(tmp_path, learnt, told):
    kept = "self.lock, self.kept = LOCK, (images.mean(), torch.from_numpy(data.labels[:2]))"
    text = PROTOTYPES.replace("time.sleep(0.2)", kept).replace("targeted=False", "")
    text = text.replace("LOCK", "__import__('threading').Lock()")  # of which is no copy
    text = text.replace("self.calls += 1", "mean, own = getattr(self, 'kept', (0, targets))")
    text = text.replace("flat * 0.9 + shift", f"flat + {learnt}")
    load_plugin_file(f"{write(tmp_path / 'my.py', text)}:Prototypes")
    rule = pytest.raises(CamobenchError, match="does something else once it is restored")
    with rule if told else nullcontext():
        trained(tmp_path, "prototypes")
