import timm
import torch
from timm.models.convnext import ConvNeXtBlock

from bench.contract import VICTIMS
from bench.data import ExaminerSet
from bench.recipes import MINI, PAPER, SMOKE
from tests.toys import CLASSES, camera_set, copied, fit_context, same_state


def build(recipe):
    torch.manual_seed(0)
    entry = VICTIMS.get("pef-convnext")
    return entry.builder(entry.spec, classes=CLASSES, recipe=recipe)


def blocks(network):
    return [part for part in network.modules() if isinstance(part, ConvNeXtBlock)]


def test_stages_have_the_channels_of_convnext_t_and_its_blocks():
    with torch.device("meta"):
        ours, reference = build(PAPER).network, timm.create_model("convnext_tiny", num_classes=3)
        narrow = build(MINI).network
    assert [len(stage.blocks) for stage in ours.stages] == [1, 1, 3, 1]
    for mine, theirs, small in zip(ours.stages, reference.stages, narrow.stages, strict=True):
        one, other = mine.blocks[0].conv_dw.weight, theirs.blocks[0].conv_dw.weight
        assert one.shape == other.shape == (one.shape[0], 1, 7, 7)
        assert small.blocks[0].conv_dw.weight.shape[0] == one.shape[0] // 4
    assert all(block.gamma is None for block in blocks(ours))
    assert ours.stem[0].stride == (2, 2)


def test_a_narrow_network_starts_with_weights_by_their_number_of_inputs():
    for block in blocks(build(MINI).network):
        inputs = block.mlp.fc1.in_channels
        assert 0.8 < block.mlp.fc1.weight.std() * (3 * inputs) ** 0.5 < 1.2


def test_it_is_trained_by_adamw_behind_prediction_errors():
    victim = build(SMOKE)
    assert victim.hyperparameters["classifier"]["optimiser"] == "adamw"
    assert victim.filters.weight.shape == (3, 3, 5, 5)
    start = copied(victim)
    victim.fit(camera_set(ExaminerSet), fit_context())
    assert not same_state(start, victim.state_dict())
