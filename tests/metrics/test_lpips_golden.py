import json

import pytest
import torch

from bench.metrics.lpips_golden import check_golden, golden_file, golden_value
from bench.store import Store
from bench.types import CamobenchError

CPU = torch.device("cpu")


class Metric:
    """Stands for `Lpips`: the mean absolute difference, times a factor."""

    def __init__(self, factor=1.0, trunk="7be5be79" * 8):
        self.factor, self.trunk_sha256 = factor, trunk

    def __call__(self, one, other):
        assert one.dtype == other.dtype == torch.uint8
        return self.factor * (one.float() - other.float()).abs().mean((1, 2, 3)) / 255


def test_the_pair_never_changes():
    """Where neither end clips, the grid moves every value by 12."""
    assert golden_value(Metric(), CPU) == pytest.approx(12 / 255, rel=0.05)
    assert golden_value(Metric(), CPU) == pytest.approx(0.0469379, abs=1e-6)


def test_the_first_use_records_and_later_ones_compare(tmp_path):
    store = Store(tmp_path / "store")
    value, recorded = check_golden(Metric(), CPU, store)
    assert recorded
    kept = json.loads(golden_file(store).read_text())
    assert (kept["value"], kept["trunk_sha256"]) == (value, "7be5be79" * 8)
    assert check_golden(Metric(1 + 1e-6), CPU, store) == (pytest.approx(value), False)
    with pytest.raises(CamobenchError, match=r"this store recorded .*go back to the versions"):
        check_golden(Metric(1.001), CPU, store)
    with pytest.raises(CamobenchError, match=r"SHA-256 7be5be79ff.*fetch torchvision's"):
        check_golden(Metric(trunk="7be5be79" + "f" * 56), CPU, store)
    assert json.loads(golden_file(store).read_text()) == kept


def test_another_version_of_the_metric_begins_anew(tmp_path):
    store = Store(tmp_path / "store")
    check_golden(Metric(), CPU, store)
    kept = json.loads(golden_file(store).read_text())
    golden_file(store).write_text(json.dumps(kept | {"version": "0.0", "value": 9.0}))
    assert check_golden(Metric(), CPU, store)[1]
