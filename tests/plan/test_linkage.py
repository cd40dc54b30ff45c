import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.jobs.fingerprints import FINGERPRINTS
from bench.plan.linkage import link_run
from bench.plan.measure import Means
from bench.records.load import load_run
from bench.report.linkage import ROWS, linkage_table, links, write_linkage
from bench.report.verification.folder import verify_folder
from bench.types import CamobenchError, Silent


def link(run, **more):
    return link_run(run.out, Means(store=run.store, progress=Silent(), workers=1), **more)


@pytest.fixture(scope="module")
def linked(smoke, tmp_path_factory):
    """The smallest run with its PCE; read it, never write to it."""
    root = tmp_path_factory.mktemp("linked")
    store = type(smoke.store)(shutil.copytree(smoke.store.root, root / "store"))
    found = type(smoke)(store, shutil.copytree(smoke.out, root / "out"))
    assert link(found) == {}
    return found


@pytest.fixture
def copied(linked, tmp_path):
    """A copy, which a test may spoil."""
    store = type(linked.store)(shutil.copytree(linked.store.root, tmp_path / "store"))
    return type(linked)(store, shutil.copytree(linked.out, tmp_path / "out"))


def test_untouched_images_fit_their_own_device_alone(linked):
    found = {(one.attack.name, one.split): one for one in links(load_run(linked.out))}
    for split in ("in", "out"):
        same = found["identity", split]
        assert same.before == same.after
        assert same.before.auc > 0.95
        assert same.before.pce > 5
    rows = pd.read_parquet(linked.out / ROWS)
    others = rows[rows["attack"].isna() & (rows["device"] != rows["fingerprint"])]
    assert others["pce"].abs().mean() == pytest.approx(1, abs=0.5)
    assert len(set(rows["fingerprint"])) == 3 * 5 + 1
    assert set(rows["flat_fields"]) == {64}


def test_every_image_and_target_that_is_scored_has_a_pce(linked):
    rows, scored = pd.read_parquet(linked.out / ROWS), load_run(linked.out).distortion
    for name, mine in rows.groupby("attack"):
        items = mine.groupby("fingerprint").size().unique()
        assert list(items) == [(scored["attack"] == name).sum()]


def test_the_same_again_measures_nothing_and_writes_the_same_bytes(copied):
    files = {p: p.stat().st_mtime_ns for p in copied.store.root.glob("predictions/*/*/*.parquet")}
    assert {path.parent.name for path in files} >= {FINGERPRINTS}
    first = (copied.out / ROWS).read_bytes()
    link(copied)
    assert all(path.stat().st_mtime_ns == at for path, at in files.items())
    assert (copied.out / ROWS).read_bytes() == first


def test_verify_makes_the_table_anew(copied):
    write_linkage(load_run(copied.out))
    said = {one.check: one.verdict for one in verify_folder(copied.out)}
    assert {said[name] for name in (ROWS, "linkage.md", "linkage.csv")} == {"ok"}
    assert "surplus files" not in said
    path = copied.out / "linkage.csv"
    path.write_text(path.read_text().replace("identity", "entity"))
    said = {one.check: one.verdict for one in verify_folder(copied.out)}
    assert said["linkage.csv"] == "fail"


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (lambda rows: rows.assign(attack_digest="of other weights"), "trained anew"),
        (lambda rows: rows.assign(pce=np.nan), "NaN"),
        (lambda rows: rows.drop(index=rows.index[-1]), "lacks"),
        (lambda rows: rows[rows["attack"].isna() | (rows["split"] != "in")], "images"),
        (
            lambda rows: rows[rows["attack"].isna() | (rows["image_id"] != rows["image_id"][0])],
            "images",
        ),
        (lambda rows: rows[~rows["target"].isin(["simcam-01"])], "targets"),
        (lambda rows: rows[rows["fingerprint"] != rows["device"].iloc[0]], "without a fingerprint"),
    ],
)
def test_pce_of_something_else_is_refused(copied, edit, word):
    edit(pd.read_parquet(copied.out / ROWS)).to_parquet(copied.out / ROWS)
    with pytest.raises(ValueError, match=word):
        linkage_table(load_run(copied.out))


def test_flat_fields_of_other_devices_are_refused(copied, tmp_path):
    folder = tmp_path / "flat" / "make" / "0"
    folder.mkdir(parents=True)
    Image.new("RGB", (64, 64)).save(folder / "1.png")
    with pytest.raises(CamobenchError, match=r"make/0.*Set-C has simcam-01-d4"):
        link(copied, flat_fields=tmp_path / "flat")
