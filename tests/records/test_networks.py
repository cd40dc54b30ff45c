"""`victims.json` is optional, but not garbled and not of another run."""

import json

import pytest

from bench.records.load import load_run
from bench.records.networks import load_networks
from tests.toy_run import VICTIMS


def network_record(name, **changes):
    made = {
        "seconds": 150.3,
        "figures": {"loss": 0.003, "validation_accuracy_percent": 97.5},
        "curves": {"loss": [[0.5, 1.05], [40, 0.2], [60, 0.003]]},
        "weights_sha256": "0" * 64,
        "hyperparameters": None,
        "provenance": {"commit": "abcdef" * 6, "dirty": True},
    }
    shared = name.startswith("wdf")
    return {
        "name": name,
        "key": f"k-{name}",
        "parameters": 702_708,
        "frontend_parameters": 122_000 if shared else 0,
        "flops_per_image": 95_847_168,
        "frontend_flops_per_image": 731_676_672 if shared else 0,
        "training": made,
        **changes,
    }


def write_networks(folder, records=None):
    records = [network_record(name) for name, _, _ in VICTIMS] if records is None else records
    content = {"schema": 1, "image_px": 128, "victims": records}
    (folder / "victims.json").write_text(json.dumps(content))


def test_it_loads(run_dir):
    write_networks(run_dir)
    networks = load_networks(load_run(run_dir))
    assert list(networks) == [name for name, _, _ in VICTIMS]
    wdf = networks["wdf-resnet18"]
    assert (wdf.image_px, wdf.parameters, wdf.frontend_parameters) == (128, 702_708, 122_000)
    assert wdf.training.curves == {"loss": ((0.5, 1.05), (40, 0.2), (60, 0.003))}
    assert wdf.training.validation_accuracy_percent == 97.5
    write_networks(run_dir, [network_record("img-resnet18", training=None, flops_per_image=None)])
    assert load_networks(load_run(run_dir))["img-resnet18"].training is None


def test_there_may_be_none(run):
    assert load_networks(run) == {}


@pytest.mark.parametrize("record", [{"key": "other"}, {"name": "stranger"}, {"parameters": None}])
def test_what_does_not_fit(run_dir, record):
    write_networks(run_dir, [network_record("img-resnet18") | record])
    with pytest.raises(ValueError, match=r"victims\.json .*run again"):
        load_networks(load_run(run_dir))


@pytest.mark.parametrize("text", ["{", '{"schema": 2}'])
def test_what_is_no_such_file(run_dir, text):
    (run_dir / "victims.json").write_text(text)
    with pytest.raises(ValueError, match=r"victims\.json .*run again"):
        load_networks(load_run(run_dir))
