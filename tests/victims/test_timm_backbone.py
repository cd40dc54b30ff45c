import pytest
import timm
import torch

from bench.contract import VICTIMS
from bench.data import ExaminerSet
from bench.jobs.building import build_victim
from bench.nets.filters import HighPass, differences
from bench.recipes import PAPER, SMOKE
from bench.registry import UnknownNameError
from bench.store import digest
from bench.types import CamobenchError
from tests.toys import CLASSES, camera_set, copied, fit_context, same_state
from victims.timm_backbone import SIZES, Intake, find_intake

SMALL = "test_convnext"
"""One of timm's own test networks: a tenth of a megabyte."""


def build(text, recipe=SMOKE, classes=CLASSES):
    torch.manual_seed(0)
    return build_victim(VICTIMS.get(text).spec.name, classes, recipe)


@pytest.mark.parametrize(
    ("text", "name", "front_end", "residual"),
    [
        ("timm:convnext_tiny", "img-timm-convnext-tiny", "img", None),
        ("timm:convnext_tiny/pef", "pef-timm-convnext-tiny", "pef", None),
        ("timm:resnet10t/wdf", "wdf-timm-resnet10t", "wdf", "wdf-v1"),
        ("timm:resnet10t/hpf", "hpf-timm-resnet10t", "hpf", None),
    ],
)
def test_a_name_of_timms_is_a_victim(text, name, front_end, residual):
    spec = VICTIMS.get(text).spec
    assert (spec.name, spec.front_end, spec.residual) == (name, front_end, residual)
    assert spec.backbone == text.partition("/")[0]
    assert spec.supplementary
    assert "without timm's pretrained weights" in spec.paper
    assert VICTIMS.get(name) is VICTIMS.get(text)
    assert name not in VICTIMS.names()


def test_every_network_of_timm_has_a_name_that_leads_back_to_it():
    networks = timm.list_models()
    assert len(networks) > 500
    for network in networks:
        spec = VICTIMS.get(f"timm:{network}/wdf").spec
        assert VICTIMS.get(spec.name).spec.backbone == f"timm:{network}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "timm:convnext_tny",
            "network of timm .* 'convnext_tny': did you mean convnext_tiny",
        ),
        ("pef-timm-convnext-tny", "timm .* 'convnext_tny': did you mean convnext_tiny"),
        ("timm:qqqq", "'qqqq': it is none of .* and [0-9]+ more"),
        ("timm:convnext_tiny/prf", "unknown front-end 'prf'.* wdf, pef, img, hpf, fd"),
        ("timm:resnet18.a1_in1k", ".a1_in1k names weights.* from scratch; write timm:resnet18$"),
        ("foo-timm-resnet18", "unknown victim 'foo-timm-resnet18'"),
    ],
)
def test_names_that_timm_does_not_have(text, message):
    with pytest.raises(UnknownNameError, match=message):
        VICTIMS.get(text)


def test_a_network_of_one_size_is_refused():
    message = r"inception_v3 cannot be a victim, .* 64 x 64 .*(Kernel size|Output size)"
    with pytest.raises(CamobenchError, match=message):
        build("timm:inception_v3")


@pytest.mark.parametrize(
    ("network", "intake"),
    [
        (SMALL, Intake(options={}, grid_px=1, batch_norm=False)),
        (
            "test_vit",
            Intake(
                options={"dynamic_img_size": True, "dynamic_img_pad": True},
                grid_px=1,
                batch_norm=False,
            ),
        ),
        ("dla46x_c", Intake(options={}, grid_px=32)),
    ],
)
def test_images_of_any_size(network, intake):
    assert find_intake(network) == intake
    victim = build(f"timm:{network}").eval()
    for height, width in (*SIZES, (128, 128)):
        logits = victim.logits(torch.rand(2, 3, height, width))
        assert victim.require_logits(logits, 2) is logits


@pytest.mark.parametrize("front_end", ["img", "pef", "hpf", "fd"])
def test_fit_changes_the_network(front_end):
    victim = build(f"timm:{SMALL}/{front_end}")
    start = copied(victim)
    report = victim.fit(camera_set(ExaminerSet), fit_context())
    assert not same_state(start, victim.state_dict())
    assert "validation_accuracy_percent" in report.figures


@pytest.mark.parametrize(("front_end", "filters"), [("hpf", HighPass()), ("fd", differences)])
def test_a_fixed_front_end_hands_its_maps_to_the_network(front_end, filters):
    victim, images, seen = build(f"timm:{SMALL}/{front_end}").eval(), torch.rand(2, 3, 65, 97), []
    victim.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    victim(images)
    torch.testing.assert_close(seen[0], filters(images * 51), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "sharpened"),
    [(f"timm:{SMALL}", True), (f"timm:{SMALL}/pef", False), ("timm:resnet10t", False)],
)
def test_a_scene_is_no_answer_where_nothing_normalises_it(text, sharpened):
    victim = build(text)
    assert ("first_gain" in victim.hyperparameters) == sharpened
    first = next(part for part in victim.network.modules() if isinstance(part, torch.nn.Conv2d))
    flat = first(torch.full((1, 3, 16, 16), 0.7))[..., 2, 2] - (
        0 if first.bias is None else first.bias
    )
    assert (flat.abs().max() < 1e-5) == sharpened


def test_the_key_knows_optimiser_version_and_recipe(monkeypatch):
    stated = build(f"timm:{SMALL}").hyperparameters
    assert stated["classifier"]["optimiser"] == "adamw"
    assert (stated["timm"], stated["pretrained"]) == (timm.__version__, False)
    assert digest(build(f"timm:{SMALL}", PAPER).hyperparameters) != digest(stated)
    monkeypatch.setattr(timm, "__version__", "9.9.9")
    assert digest(build(f"timm:{SMALL}").hyperparameters) != digest(stated)
