"""Networks of plug-ins: trained, stored and opened again as their authors wrote them."""

import pytest
import torch

from bench.contract.plugin_files import load_plugin_file
from bench.jobs.networks import Networks, Shelf
from bench.jobs.scoring.precision import Precision
from bench.plan.graph import plan
from bench.plan.train import train
from bench.recipes import SMOKE
from bench.store import Store
from tests.plugins import write
from tests.smoke import toy_suite
from tests.toys import pixels

pytestmark = pytest.mark.usefixtures("own_registries")
CPU = torch.device("cpu")
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

        def fit(self, data, context):
            images = torch.from_numpy(data.images).float().mean((2, 3)) / 255
            self.layer.centres, self.layer.weights = images.unique(dim=0), torch.arange(7)
            time.sleep(0.2)
            return camobench.FitReport()

        def transform(self, images, targets):
            flat = images.view(len(images), -1)
            weight = self.mix.weight.view(3, -1).abs().mean()
            shift = self.layer.centres.mean() * self.window.mean() * self.layer.weights[2] * weight
            return (flat * 0.9 + shift).view(images.shape)
"""


def trained(tmp_path, name):
    """The networks of one attack, trained on a toy suite and opened from their checkpoints."""
    suite = toy_suite(tmp_path / "store", ("B",))
    graph = plan(suite.card, SMOKE, attacks=[name], victims=[])
    shelf = Shelf(store=Store(tmp_path / "store"), shipped=False)
    train(graph, shelf)
    return graph, shelf, Networks(graph, shelf, CPU, precision=Precision())


@pytest.mark.parametrize("surrogate", ["img-resnet18", "pef-resnet18", "wdf-resnet18"])
def test_a_surrogate_that_an_attack_keeps(tmp_path, surrogate):
    text = GRADIENT_STEP.replace("img-resnet18", surrogate)
    path = write(tmp_path / "fgm.py", text)
    load_plugin_file(f"{path}:GradientStep")
    _, _, opened = trained(tmp_path, "gradient-step")
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
    graph, shelf, opened = trained(tmp_path, "prototypes")
    attack = opened.attack("prototypes")
    assert attack.layer.centres.shape[1:] == (3,)
    assert attack.layer.weights.tolist() == list(range(7))
    assert attack(pixels(3, 64, 80)).shape == (3, 3, 64, 80)
    card = shelf.find("attack", "prototypes", graph.attacks["prototypes"]).card
    assert 0.2 <= card["seconds"] < 30
