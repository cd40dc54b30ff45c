import contextlib
import os
import tempfile

import pytest
import torch

from bench.contract.global_state import (
    kept_global_state,
    kept_random_numbers,
    random_numbers,
    use_exact_fp32,
    usual_global_state,
)
from bench.jobs.building import build_attack
from bench.plan.names.selection import select_attacks
from tests.plugins import write


def settings():
    older = (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32)
    return {
        "folder": os.path.realpath(os.curdir),
        "device": torch.get_default_device(),
        "type": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "autocast on CUDA": torch.is_autocast_enabled("cuda"),
        "precision": older,
        "benchmark": torch.backends.cudnn.benchmark,
        "cudnn, deterministic": torch.backends.cudnn.deterministic,
        "cudnn": torch.backends.cudnn.enabled,
        "mkldnn": torch.backends.mkldnn.enabled,
    }


def change_everything():
    torch.set_default_device("meta")
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.set_num_threads(torch.get_num_threads() + 1)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.set_autocast_enabled("cpu", True)
    torch.set_autocast_enabled("cuda", True)
    torch.backends.cudnn.benchmark = not torch.backends.cudnn.benchmark
    torch.backends.cudnn.deterministic = not torch.backends.cudnn.deterministic
    torch.backends.cudnn.enabled = False
    torch.backends.mkldnn.enabled = False
    torch.backends.cudnn.allow_tf32 = not torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("medium")
    os.chdir(tempfile.gettempdir())


@pytest.mark.parametrize("error", [None, ZeroDivisionError])
def test_every_setting_is_as_it_was_also_after_an_error(error):
    before = settings()
    with contextlib.suppress(ZeroDivisionError), kept_global_state():
        change_everything()
        inside = settings()
        if error is not None:
            raise error
    assert not [name for name, value in before.items() if inside[name] == value]
    assert settings() == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mkldnn.matmul", "bf16"),
        ("mkldnn.conv", "bf16"),
        ("cuda.matmul", "tf32"),
        ("cudnn.conv", "ieee"),
        ("cudnn", "tf32"),
        ("mkldnn", "bf16"),
        ("", "tf32"),
    ],
)
def test_precision_in_torchs_newer_way(name, value):
    place = torch.backends
    for part in filter(None, name.split(".")):
        place = getattr(place, part, None)
    if not hasattr(place, "fp32_precision"):
        pytest.skip("torch does not have it yet")
    before = place.fp32_precision
    with kept_global_state():
        place.fp32_precision = value if before != value else "tf32"
        use_exact_fp32()
        assert torch.backends.cudnn.allow_tf32 is torch.backends.cuda.matmul.allow_tf32 is False
        assert place.fp32_precision == "ieee"
    assert place.fp32_precision == before
    assert torch.get_float32_matmul_precision() == "highest"


def test_what_a_file_and_a_constructor_set_stays_with_them(tmp_path, own_registries):
    path = write(
        tmp_path / "setting.py",
        """
        import torch

        import camobench

        torch.set_default_dtype(torch.float64)

        class Setting(camobench.Attack):
            spec = camobench.AttackSpec(name="setting", targeted=False)

            def __init__(self, spec=None, **more):
                super().__init__(spec, **more)
                torch.set_grad_enabled(False)
        """,
    )
    (name,) = select_attacks(f"{path}:Setting")
    assert torch.get_default_dtype() is torch.float32
    build_attack(name, ("a", "b"), None)
    assert torch.is_grad_enabled()


def test_a_default_device_of_the_callers_hinders_none_of_a_plug_in():
    with kept_global_state():
        torch.set_default_device("meta")
        with usual_global_state(), kept_global_state():
            torch.set_default_device("cpu")
            assert torch.empty(1).device.type == "cpu"
        with torch.device("cpu"), usual_global_state():
            assert torch.empty(1).device.type == "cpu"
        assert torch.get_default_device().type == "meta"


def test_a_gpu_that_nobody_has_used_is_seeded_as_the_caller_said(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    monkeypatch.setattr(torch.cuda, "manual_seed_all", (said := []).append)
    with kept_random_numbers():
        torch.manual_seed(5)
    assert said == [5, torch.initial_seed()]


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_what_is_drawn_on_a_device_is_seen(monkeypatch, kind):
    states = iter(torch.arange(2))
    monkeypatch.setattr(getattr(torch, kind), "get_rng_state", lambda _: next(states))
    assert random_numbers(torch.device(kind)) != random_numbers(torch.device(kind))
