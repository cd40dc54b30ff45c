import shutil

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from bench.jobs.networks import Networks
from bench.jobs.scoring import rows as rows_module
from bench.jobs.scoring.precision import Precision
from bench.jobs.scoring.rows import DISTORTION
from bench.jobs.scoring.scorer import Scorer
from bench.plan import session as sessions
from bench.store import Store, write_sealed
from bench.types import CamobenchError
from tests.smoke import ATTACKS as ALL
from tests.smoke import VICTIMS, Watcher, flip, matrix_of, toy_suite


@pytest.fixture
def store(smoke_copy):
    """All networks and images, nothing scored."""
    shutil.rmtree(smoke_copy.store.root / "predictions")
    return smoke_copy.store


def tables(cells):
    return (
        pd.concat([cell.predictions() for cell in cells], ignore_index=True),
        pd.concat([cell.distortion() for cell in cells], ignore_index=True),
    )


@pytest.fixture
def scored(monkeypatch):
    """Which victims each call of the scorer was for, and how many images it took."""
    calls, score = [], Scorer.score

    def spy(self, source, victims, indices, **more):
        attack = getattr(getattr(source, "source", source), "attack", None)  # none for kept images
        calls.append((attack and attack.spec.name, tuple(victims), len(indices)))
        return score(self, source, victims, indices, **more)

    monkeypatch.setattr(Scorer, "score", spy)
    return calls


def same(one, other):
    for left, right in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(left, right)


def reference(smoke):
    names = ("predictions", "distortion")
    return tuple(pd.read_parquet(smoke.out / f"{name}.parquet") for name in names)


def test_a_new_victim_scores_its_own_column_alone(store, scored, smoke, monkeypatch):
    matrix_of(store, victims=VICTIMS[:1]).fill(["cgan-img"])
    found = [*(store.root / "predictions").glob("*/*/*.parquet")]
    assert DISTORTION in {path.parent.name for path in found}
    before = {path: path.stat().st_mtime_ns for path in found}
    scored.clear()
    with monkeypatch.context() as patch:
        patch.setattr("bench.jobs.scoring.scorer.measure", None)
        matrix_of(store).fill(["cgan-img"])
    assert scored == [("cgan-img", VICTIMS[1:], 8)]
    assert {path: path.stat().st_mtime_ns for path in found} == before
    same(tables(matrix_of(store).fill(ALL)), reference(smoke))


@pytest.mark.parametrize("survivors", range(4))
def test_killed_at_any_write_the_next_run_gives_the_same_rows(
    store, scored, smoke, monkeypatch, survivors
):
    real, written = rows_module.replacing, []

    def replacing(path):
        if len(written) == survivors:
            raise KeyboardInterrupt
        written.append(path)
        return real(path)

    monkeypatch.setattr(rows_module, "SHARD_IMAGES", 4)
    monkeypatch.setattr(rows_module, "replacing", replacing)
    with pytest.raises(KeyboardInterrupt):
        matrix_of(store).fill(["jpeg"])
    monkeypatch.setattr(rows_module, "replacing", real)
    times = {path: path.stat().st_mtime_ns for path in written}
    scored.clear()
    watcher = Watcher()
    matrix_of(store, progress=watcher).fill(["jpeg"])
    assert watcher.resumed == 4 * (survivors // 3)
    assert len(scored) == 2 - survivors // 3  # three files a shard
    assert {path: path.stat().st_mtime_ns for path in written} == times
    found = tables(matrix_of(store).fill(["jpeg"]))
    for one, other in zip(found, reference(smoke), strict=True):
        expected = other[other["attack"] == "jpeg"].reset_index(drop=True)
        pd.testing.assert_frame_equal(one, expected, rtol=1e-4, atol=1e-6)


def test_damaged_rows_are_scored_again_once_removed(store, scored, smoke):
    (cells,) = matrix_of(store).fill(["jpeg"])
    first, _ = VICTIMS
    flip(rows := cells.row.file(cells.victims[first], 0))
    scored.clear()
    with pytest.raises(CamobenchError, match=f"{rows} is damaged .*; remove {rows}, and"):
        tables(matrix_of(store).fill(["jpeg"]))
    rows.unlink()
    matrix_of(store).fill(["jpeg"])
    assert scored == [("jpeg", (first,), 8)]
    same(tables(matrix_of(store).fill(ALL)), reference(smoke))


def test_new_weights_are_scored_anew(store, scored):
    whole = matrix_of(store)
    whole.fill(["jpeg"])
    scored.clear()
    name = VICTIMS[0]
    checkpoint = whole.shelf.find("victim", name, whole.graph.victims[name])
    write_sealed(checkpoint.path / "card.json", checkpoint.card | {"weights_sha256": "0" * 64})
    changed = matrix_of(store)
    changed.networks._victims[name] = whole.networks.victim(name)
    changed.fill(["jpeg"])
    assert scored == [("jpeg", (name,), 8)]


def test_set_c_must_be_there(tmp_path):
    suite = toy_suite(tmp_path, ("A",))
    with pytest.raises(Exception, match="Set-C of toy-v1 is not in the store; `camobench data p"):
        matrix_of(Store(tmp_path), source=suite, victims=()).fill(["jpeg"])


def test_precision_is_part_of_a_cells_key(store, scored, monkeypatch):
    monkeypatch.setattr(sessions, "provenance", lambda: {"created": "the same second"})
    exact = matrix_of(store).fill(["jpeg"])[0]
    scored.clear()
    first, *rest = VICTIMS
    mixed = matrix_of(store, precision="mixed", keep_fp32=(first,)).fill(["jpeg"])[0]
    assert scored == [("jpeg", tuple(rest), 8)]  # the exempt one is there, in fp32
    assert mixed.victims[first] == exact.victims[first]
    assert not {mixed.victims[name] for name in rest} & set(exact.victims.values())
    one, other = exact.predictions(), mixed.predictions()
    np.testing.assert_allclose(one["p_predicted"], other["p_predicted"], atol=0.1)
    changed = other[other["victim"].isin(rest)]["p_predicted"].to_numpy()
    assert (changed != one[one["victim"].isin(rest)]["p_predicted"].to_numpy()).any()
    assert mixed.provenance()["precision"] == "mixed"
    with pytest.raises(CamobenchError, match="unknown precision 'fp8': choose fp32 or mixed"):
        Precision(name="fp8")


def test_kept_images_spare_the_generator(store, scored, monkeypatch):
    attack = "cgan-img"
    plain = matrix_of(store).fill([attack])[0]
    keeping = matrix_of(store, keep_images=True)
    keeping.fill([attack])  # all rows are there, the images are not
    assert [call[2] for call in scored] == [8, 8]
    assert list((store.root / "images").rglob("*.parquet"))
    shutil.rmtree(plain.row.path)
    monkeypatch.setattr(Networks, "attack", None)
    again = matrix_of(store).fill([attack])[0]
    same(
        (plain.predictions(), plain.distortion()),
        (again.predictions(), again.distortion()),
    )


def test_kept_images_that_were_lost_are_made_again(store, scored):
    before = set((store.root / "images").rglob("*.parquet"))
    matrix_of(store, keep_images=True).fill(["jpeg"])
    [kept] = set((store.root / "images").rglob("*.parquet")) - before
    scored.clear()
    content = pq.read_table(kept)
    kept.unlink()
    matrix_of(store, keep_images=True).fill(["jpeg"])
    assert pq.read_table(kept).equals(content)
    assert scored == [("jpeg", (), 8)]


def test_rows_on_kept_images_say_who_made_these(store):
    keeping = matrix_of(store, victims=VICTIMS[:1], keep_images=True)
    keeping.fill(["jpeg"])
    later = matrix_of(store).fill(["jpeg"])[0].provenance()
    assert {"commit", "created"} <= later["images_made_by"].keys()
    assert "images_made_by" not in later["also_scored_by"][-1]
