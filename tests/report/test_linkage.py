"""Tables of PCE from files alone."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

from bench.records.load import load_run
from bench.report.linkage import DEVICE, FRAMES, ROWS, linkage_table, links
from bench.report.tables.render import render
from tests.toy_run import rewrite


def pce_of(folder, splits=("in", "out")):
    """Untouched images and those of controls fit their device, those of attacks none."""
    pictures = pd.read_parquet(folder / "distortion.parquet")
    pictures = pictures[pictures["split"].isin(splits)]
    untouched = pictures[pictures["attack"] == "identity"].assign(
        target=None, attack=None, attack_key=None, attack_digest=None, fits=True
    )
    parts = [untouched]
    for attack in load_run(folder).attacks:
        mine = pictures[pictures["attack"] == attack.name]
        parts.append(mine.assign(attack_digest=attack.digest, fits=attack.control))
    rows = pd.concat(parts, ignore_index=True)
    devices = pd.DataFrame({DEVICE: sorted(set(rows["device"])), FRAMES: 64})
    rows = rows.merge(devices, how="cross")
    fits = rows["fits"] & (rows["device"] == rows[DEVICE])
    return rows.drop(columns="fits").assign(pce=np.where(fits, 90.0, 1.0))


@pytest.fixture
def linked_dir(run_dir):
    pce_of(run_dir).to_parquet(run_dir / ROWS)
    return run_dir


def test_an_attack_that_hides_the_device_and_one_that_does_not(linked_dir):
    found = {(one.attack.name, one.split): one for one in links(load_run(linked_dir))}
    for split in ("in", "out"):
        kept, hidden = found["jpeg-q85", split], found["mislgan", split]
        figures = (one.after for one in (kept, hidden))
        assert [(one.auc[0], one.pce[0]) for one in figures] == [(1, 90), (0.5, 1)]
        assert kept.before == hidden.before == kept.after
        assert hidden.before.pce[1] == (90, 90)
    assert found["mislgan", "in"].images == 2 * found["jpeg-q85", "in"].images


def test_photographs_of_one_scene_are_one_draw(linked_dir):
    for name in ("predictions", "distortion", "linkage"):
        rewrite(linked_dir, name, lambda rows: rows.assign(scene="one"))
    assert {(one.after.pce[1], one.after.auc[1]) for one in links(load_run(linked_dir))} == {
        (None, None)
    }


def test_formats_say_the_same_and_a_split_without_flat_fields_is_named(run_dir):
    pce_of(run_dir, ["in"]).to_parquet(run_dir / ROWS)
    table = linkage_table(load_run(run_dir))
    assert any(note.startswith("Out of distribution n/a") for note in table.notes)
    records = list(csv.DictReader(io.StringIO(render(table, "csv"))))
    assert {row["split"] for row in records} == {"in"}
    [row] = [line for line in render(table, "md").splitlines() if line.startswith("| mislgan")]
    shown = [cell.strip() for cell in row.split("|")[2:-1]]
    assert shown == ["90 (90–90)", "1 (1–1)", "1.00 (0.76–1.00)", "0.50 (0.44–0.56)"]


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (lambda rows: rows.assign(attack_digest="of other weights"), "trained anew"),
        (lambda rows: rows.assign(pce=np.nan), "a pce that is NaN"),
        (lambda rows: rows.drop(index=rows.index[-1]), "not one pce of each fingerprint"),
        (lambda rows: pd.concat([rows, rows.iloc[-1:]]), "not one pce"),
        (lambda rows: rows[rows[DEVICE] != rows["device"][0]], "has no fingerprint of"),
    ],
)
def test_pce_of_something_else_is_refused(linked_dir, edit, word):
    rewrite(linked_dir, "linkage", edit)
    with pytest.raises(ValueError, match=f"{word}.*`camobench linkage .*` makes it anew"):
        linkage_table(load_run(linked_dir))
