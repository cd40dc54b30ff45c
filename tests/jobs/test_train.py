import random

import numpy as np
import pytest
import torch

from bench.jobs.train import snapshots_in
from bench.types import CamobenchError, StoppingError


@pytest.mark.parametrize(
    ("error", "raised"),
    [(OSError, OSError), (MemoryError, MemoryError), (EOFError, StoppingError)],
)
def test_only_a_damaged_snapshot_is_called_damaged(tmp_path, monkeypatch, error, raised):
    def load(*_, **__):
        raise error("no such luck")

    torch.save({}, tmp_path / "snapshot.pt")
    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(raised, match="no such luck"):
        snapshots_in(tmp_path / "snapshot.pt").load()


def test_a_snapshot_that_could_not_be_loaded_is_refused_as_it_is_saved(tmp_path):
    kept = snapshots_in(tmp_path / "snapshot.pt")
    state = {"step": 1, "random": random.getstate(), "weights": torch.ones(2)}
    kept.save(state)
    with pytest.raises(CamobenchError, match=r"holds numpy.* could not be loaded: save tensors"):
        kept.save({"step": 2, "random": np.random.get_state()})
    assert kept.load()["random"] == state["random"]
