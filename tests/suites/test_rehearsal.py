import numpy as np

from bench.store import Store
from bench.suites.audit.record import audit
from bench.suites.base import prepare
from bench.suites.catalogue import load_suite


def test_a_rehearsal_sees_set_b_alone(tmp_path):
    played = load_suite("simcam-smoke-v2")
    suite = prepare(load_suite("rehearsal:simcam-smoke-v2"), Store(tmp_path), ("A", "B", "C"))
    b = prepare(played, Store(tmp_path), ("B",))
    assert suite.card.fingerprint != played.card.fingerprint
    assert suite.card.classes == played.card.classes
    assert suite.card.others == ()
    for name in "AB":
        np.testing.assert_array_equal(suite.images(name), b.images("B"))
        assert set(suite.manifest(name)["set"]) == {name}
    held_out = (b.manifest("B")["partition"] == "validation").to_numpy()
    np.testing.assert_array_equal(suite.images("C"), b.images("B")[held_out])
    assert set(suite.manifest("C")["split"]) == {"in"}
    assert "rehearsal" in suite.card.note
    assert audit(suite).failed  # nobody takes its numbers for a result
