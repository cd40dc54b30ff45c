"""`victims.json` is optional, but not garbled and not of another run."""

import json

import pytest

from bench.records.load import load_run
from bench.records.networks import load_networks
from tests.conftest import VICTIMS

from .test_load import change


def network_record(name, **changes):
    made = {
        "seconds": 150.3,
        "figures": {"loss": 0.003, "validation_accuracy_percent": 97.5},
        "curves": {"loss": [[20, 1.05], [40, 0.2], [60, 0.003]]},
        "weights_sha256": "0" * 64,
        "validation_of": "the stored weights",
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


def test_it_loads(run_dir, run):
    write_networks(run_dir)
    networks = load_networks(load_run(run_dir))
    assert list(networks) == [name for name, _, _ in VICTIMS]
    wdf = networks["wdf-resnet18"]
    assert (wdf.image_px, wdf.parameters, wdf.frontend_parameters) == (128, 702_708, 122_000)
    assert wdf.training.curves == {"loss": ((20, 1.05), (40, 0.2), (60, 0.003))}
    assert wdf.training.validation_accuracy_percent == 97.5
    assert load_networks(run) == {}


def test_a_victim_that_learns_nothing(run_dir):
    write_networks(run_dir, [network_record("img-resnet18", training=None, flops_per_image=None)])
    networks = load_networks(load_run(run_dir))
    assert networks["img-resnet18"].training is None
    assert networks.keys() == {"img-resnet18"}


def test_what_does_not_fit(run_dir):
    run = load_run(run_dir)
    for record in (network_record("img-resnet18", key="other"), network_record("stranger")):
        write_networks(run_dir, [record])
        with pytest.raises(ValueError, match="are of different runs: run again"):
            load_networks(run)
    write_networks(run_dir)
    change(run_dir, "victims.json", schema=2)
    with pytest.raises(ValueError, match="`schema`"):
        load_networks(run)
    record = network_record("img-resnet18")
    del record["parameters"]
    write_networks(run_dir, [record])
    with pytest.raises(ValueError, match=r"not as this version writes it: .*parameters"):
        load_networks(run)
    (run_dir / "victims.json").write_text("{")
    with pytest.raises(ValueError, match=r"victims\.json is not readable JSON"):
        load_networks(run)
