import pytest
import torch

from bench.jobs.train import snapshots_in
from bench.types import StoppingError


@pytest.mark.parametrize(
    ("error", "raised"),
    [(OSError, OSError), (MemoryError, MemoryError), (EOFError, StoppingError)],
)
def test_only_a_damaged_snapshot_is_called_damaged(tmp_path, monkeypatch, error, raised):
    def load(*_, **__):
        raise error("no such luck")

    (tmp_path / "snapshot.pt").write_bytes(b"")
    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(raised, match="no such luck"):
        snapshots_in(tmp_path / "snapshot.pt").load()
