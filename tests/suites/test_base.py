import os
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.calibration import compare
from bench.data import AdversarySet, ExaminerSet
from bench.store import Store
from bench.suites.base import open_suite, prepare
from bench.types import CamobenchError
from tests.smoke import ToySource, flip
from tests.toys import Recorder

CARD = ToySource().card
COUNT = 6  # images of Set-A


class Toy(ToySource):
    """The toy suite, watched as it is made."""

    def __init__(self, tick=lambda: None, announced=None, given=lambda pixels: pixels):
        super().__init__()
        self.given = given
        self.tick, self.announced, self.made, self.yielded = tick, announced, [], []

    def count(self, set_name):
        return super().count(set_name) if self.announced is None else self.announced

    def rows(self, set_name, workers, start=0):
        self.made.append((set_name, workers))
        pairs = ToySource().rows(set_name, workers, start)
        for index, (row, pixels) in enumerate(pairs, start):
            self.yielded.append(index)
            self.tick()
            yield row, self.given(pixels)


def test_prepare_writes_what_the_source_yields(store):
    progress = Recorder()
    suite = prepare(Toy(), store, ("A", "B", "C"), workers=3, progress=progress)
    counts = {"A": COUNT, "B": COUNT, "C": 8}
    assert progress.started == [(f"toy-v1: Set-{name}", counts[name]) for name in "ABC"]
    assert (sum(progress.units), progress.finished) == (20, 3)
    for (row, pixels), made in zip(suite.rows("C", 1), ToySource().rows("C", 1), strict=True):
        assert row == made[0]
        np.testing.assert_array_equal(pixels, made[1])


def test_both_sides_get_their_own_set_only(store):
    suite = prepare(Toy(), store, ("A", "B"))
    examiner, adversary = suite.examiner_set(), suite.adversary_set()
    assert type(examiner) is ExaminerSet
    assert type(adversary) is AdversarySet
    assert adversary.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert adversary.validation.tolist() == [False] * 3 + [True] * 3
    assert adversary.classes == CARD.classes


class Killer:
    """Interrupts at the nth image made, file replaced or folder renamed."""

    def __init__(self, patch, at):
        self.left = at
        for owner, name in ((os, "replace"), (Path, "rename")):
            patch.setattr(owner, name, self.watching(getattr(owner, name)))

    def watching(self, call):
        def watched(*arguments, **options):
            self.tick()
            return call(*arguments, **options)

        return watched

    def tick(self):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def test_killed_at_any_write_the_next_run_continues_to_the_same_set(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.suites.set_files.CHUNK_IMAGES", 2)
    whole = prepare(Toy(), Store(tmp_path / "whole"), ("A",))
    for at in count():
        store, again = Store(tmp_path / str(at)), Toy()
        with monkeypatch.context() as patch:
            killer = Killer(patch, at)
            try:
                prepare(Toy(tick=killer.tick), store, ("A",))
            except KeyboardInterrupt:
                pass
            else:
                break
        folder = store.data_folder(CARD.name, CARD.fingerprint)
        if (folder / "suite.json").is_file() and not open_suite(folder).has("A"):
            with pytest.raises(CamobenchError, match="Set-A of toy-v1 is not in the store"):
                open_suite(folder).examiner_set()
        kept = folder / "A.unfinished" / "manifest.parquet"
        done = len(pd.read_parquet(kept)) if kept.is_file() else 0
        suite = prepare(again, store, ("A",))
        assert again.yielded == list(range(done, COUNT)) or not again.made
        assert suite.manifest("A").equals(whole.manifest("A"))
        np.testing.assert_array_equal(suite.images("A"), whole.images("A"))
        assert sorted(path.name for path in folder.iterdir()) == ["A", "suite.json"]
        assert len(list((folder / "A").iterdir())) == 4  # images and manifest, with their checksums
    assert at > 6


def test_a_set_that_somebody_half_deleted_is_made_again(store):
    suite = prepare(Toy(), store, ("A",))
    whole = suite.manifest("A")
    (suite.folder / "A" / "manifest.parquet").unlink()
    assert prepare(Toy(), store, ("A",)).manifest("A").equals(whole)


def test_a_source_that_yields_nothing_or_less_than_it_announced_leaves_no_set(store):
    with pytest.raises(CamobenchError, match="Set-B would be empty"):
        prepare(Toy(announced=0), store, ("B",))
    with pytest.raises(RuntimeError, match="Set-A has 6 images, 7 were announced"):
        prepare(Toy(announced=7), store, ("A",))
    opened = open_suite(store.data_folder(CARD.name, CARD.fingerprint))
    assert not any(map(opened.has, "AB"))


@pytest.mark.parametrize("given", [lambda pixels: pixels / 255, lambda pixels: pixels[:1]])
def test_images_in_0_to_1_and_grey_ones_are_no_black_and_no_colour_images(store, given):
    with pytest.raises(ValueError, match=r"Set-A: expected uint8 images of \(3, 64, 64\), got"):
        prepare(Toy(given=given), store, ("A",))


@pytest.mark.parametrize("content", ["{}", '{"lens": 1}', "[]", "{"])
def test_a_card_that_is_none_is_damaged_and_made_anew_once_removed(store, content):
    card = prepare(Toy(), store, ("A",)).folder / "suite.json"
    card.write_text(content)
    with pytest.raises(CamobenchError, match=rf"{card} is damaged.* anew"):
        prepare(Toy(), store, ("A",))
    card.unlink()
    assert prepare(Toy(), store, ("A",)).card == CARD


@pytest.mark.parametrize("name", ["images.npy", "manifest.parquet"])
def test_a_set_with_a_flipped_bit_is_refused(store, name):
    suite = prepare(Toy(), store, ("A", "C"))
    path = suite.folder / "C" / name
    flip(path)
    with pytest.raises(CamobenchError, match=rf"{name} is damaged .*; remove {path.parent}, and"):
        prepare(Toy(), store, ("C",))
    with pytest.raises(CamobenchError, match=f"{name} is damaged"):
        compare(suite, ())
    with pytest.raises(CamobenchError, match=f"{name} is damaged"):
        next(suite.rows("C", 1))
    suite.verify("A")


def test_a_damaged_derived_array_is_made_anew(store):
    data = prepare(Toy(), store, ("A",)).examiner_set()
    filled = []

    def fill(values):
        filled.append(1)
        values[:] = 2.5

    for _ in range(2):
        data.keep("residual", (3,), fill)
    path = store.data_folder(CARD.name, CARD.fingerprint) / "A" / "residual.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert data.keep("residual", (3,), fill).tolist() == [2.5] * 3
    assert len(filled) == 2
