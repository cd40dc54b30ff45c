"""Numbers that shipped networks and the simulator gave when they were last looked at.

A change of network or simulator numerics that nobody meant shows here. One that was meant raises a
version (of a spec, of the suite), trains the shipped networks anew, and then

    python -m tests.test_golden

in the root of the repository writes `tests/golden.json` anew; say in the commit why it moved.
"""

import hashlib
import json
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch

from bench.data import decode_rgb
from bench.jobs.networks import Networks, Shelf
from bench.plan.graph import plan
from bench.recipes import get_recipe
from bench.signal.wavelet import wdf_residual
from bench.store import Store, write_json
from bench.suites.catalogue import SIMULATED, load_suite
from bench.suites.simcam.plan import plan as plan_shots
from bench.suites.simcam.source import render

GOLDEN = Path(__file__).with_name("golden.json")
SUITE = "simcam-mini-v2"
ATTACK = "cgan-img-wdf-pef"
VICTIMS = ("wdf-resnet18", "pef-resnet34", "img-densenet40")
SIDE = 128
BLOCK_PX = 64


def synthetic_images():
    """(2, 3, 128, 128) uint8 from integers alone: slopes, edges and a little noise."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    images = []
    for number in (1, 2):
        for channel in range(3):
            slope = 70 + 20 * channel + (x * number + 2 * y) // 4
            edges = 40 * (((x + 9 * channel) // 23 + y // 31) % 2)
            noise = (x * 7919 + y * 104729 + channel * 1299709 + x * y * number) % 17 - 8
            images.append(slope + edges + noise)
    return torch.from_numpy(np.stack(images).clip(0, 255).astype(np.uint8)).view(2, 3, SIDE, SIDE)


@cache
def found():
    """What the code of today gives."""
    with TemporaryDirectory() as folder:
        graph = plan(load_suite(SUITE).card, get_recipe("mini"), attacks=[ATTACK], victims=VICTIMS)
        networks = Networks(graph, Shelf(store=Store(Path(folder))), torch.device("cpu"))
        images = synthetic_images()
        with torch.no_grad():
            residual = networks.estimator("A")(images / 255)
            change = networks.attack(ATTACK)(images, torch.tensor([0, 2])).int() - images.int()
            logits = {name: networks.victim(name)(images / 255).tolist() for name in VICTIMS}
    return {
        "made_with": surroundings(),
        "logits": logits,
        "estimator": {
            "rms_255": residual.square().mean((2, 3)).sqrt().tolist(),
            "pixels_255": residual[:, :, 60:64, 60:64].flatten().tolist(),
        },
        "attack": {
            "rms_255": change.double().square().mean((2, 3)).sqrt().tolist(),
            "mean_255": change.double().mean((2, 3)).tolist(),
        },
        "photographs": photographs(),
    }


def photographs():
    """Some photographs of Set-C: who took them, what they look like and how they are noisy."""
    spec = SIMULATED[SUITE]
    shots = plan_shots(spec, "C")
    rows = []
    chosen = [
        [shot for shot in shots if shot.model == model][place]
        for place, model in enumerate(spec.models_in)
    ]
    for shot, data in render(spec, chosen):
        pixels = decode_rgb(data, shot.image_id)
        parts = spec.image_px // BLOCK_PX
        blocks = pixels.reshape(3, parts, BLOCK_PX, parts, BLOCK_PX).mean((2, 4))
        residual = wdf_residual(torch.from_numpy(pixels)[None] / 255)
        rows.append(
            {
                "image_id": shot.image_id,
                "block_means": blocks.flatten().tolist(),
                "residual_rms_255": residual.square().mean((0, 2, 3)).sqrt().tolist(),
                "sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
            }
        )
    return rows


def surroundings():
    """What may move the last bit."""
    packages = {name: version(name) for name in ("torch", "numpy", "pillow")}
    return {
        **packages,
        "machine": platform.machine(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
    }


def close(left, right, **tolerance):
    np.testing.assert_allclose(np.array(left), np.array(right), **tolerance)


@pytest.fixture(scope="module")
def golden():
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", VICTIMS)
def test_logits_of_victims(golden, name):
    close(found()["logits"][name], golden["logits"][name], rtol=0, atol=1e-3)


def test_residuals_of_the_estimator(golden):
    for figure in ("rms_255", "pixels_255"):
        close(found()["estimator"][figure], golden["estimator"][figure], rtol=0, atol=1e-3)


def test_what_an_attack_changes(golden):
    for figure in ("rms_255", "mean_255"):
        close(found()["attack"][figure], golden["attack"][figure], rtol=0, atol=2e-3)


def test_photographs_of_the_simulator(golden):
    for now, then in zip(found()["photographs"], golden["photographs"], strict=True):
        assert now["image_id"] == then["image_id"]
        close(now["block_means"], then["block_means"], rtol=0, atol=0.02)
        close(now["residual_rms_255"], then["residual_rms_255"], rtol=0, atol=0.005)


def test_photographs_to_the_last_bit_where_nothing_else_differs(golden):
    if surroundings() != golden["made_with"]:
        pytest.skip(f"made with {golden['made_with']}, here {surroundings()}")
    hashes = [[row["sha256"] for row in made["photographs"]] for made in (found(), golden)]
    assert hashes[0] == hashes[1]


def test_synthetic_images_are_the_same_everywhere():
    data = synthetic_images().numpy().tobytes()
    assert hashlib.sha256(data).hexdigest().startswith("dbbe1324194a9fa4")


if __name__ == "__main__":
    write_json(GOLDEN, found())
