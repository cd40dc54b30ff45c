import pandas as pd
import pytest
from PIL import Image

from bench.jobs.fingerprints import FINGERPRINTS
from bench.plan.measures.linkage import link_run
from bench.records.load import load_run
from bench.report.linkage import ROWS, links
from bench.types import SILENT, CamobenchError


def link(run, **more):
    return link_run(run.out, run.store, SILENT, workers=1, **more)


@pytest.fixture(scope="module")
def linked(smoke, tmp_path_factory):
    """The smallest run with its PCE; read it, never write to it."""
    found = smoke.copy(tmp_path_factory.mktemp("linked"))
    assert link(found) == {}
    return found


@pytest.fixture
def copied(linked, tmp_path):
    return linked.copy(tmp_path)


def test_untouched_images_fit_their_own_device_alone(linked):
    found = {(one.attack.name, one.split): one for one in links(load_run(linked.out))}
    for split in ("in", "out"):
        same = found["identity", split]
        assert same.before == same.after
        assert same.before.auc[0] > 0.95
        assert same.before.pce[0] > 5
    rows = pd.read_parquet(linked.out / ROWS)
    others = rows[rows["attack"].isna() & (rows["device"] != rows["fingerprint"])]
    assert others["pce"].abs().mean() == pytest.approx(1, abs=0.5)
    assert len(set(rows["fingerprint"])) == 3 * 5 + 1
    assert set(rows["flat_fields"]) == {64}


def test_the_same_again_measures_nothing_and_writes_the_same_bytes(copied):
    files = {p: p.stat().st_mtime_ns for p in copied.store.root.glob("predictions/*/*/*.parquet")}
    assert {path.parent.name for path in files} >= {FINGERPRINTS}
    first = (copied.out / ROWS).read_bytes()
    link(copied)
    assert all(path.stat().st_mtime_ns == at for path, at in files.items())
    assert (copied.out / ROWS).read_bytes() == first


def test_flat_fields_of_other_devices_are_refused(copied, tmp_path):
    folder = tmp_path / "flat" / "make" / "0"
    folder.mkdir(parents=True)
    Image.new("RGB", (64, 64)).save(folder / "1.png")
    with pytest.raises(CamobenchError, match=r"make/0.*Set-C has simcam-01-d4"):
        link(copied, flat_fields=tmp_path / "flat")
