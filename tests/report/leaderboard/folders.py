"""Folders of results for the leaderboard's tests, spoilt in ways that the tests name."""

import json

import pandas as pd

from tests.conftest import ATTACKS, make_entry, make_frames, write_run


def write_folder(folder, attacks=tuple(ATTACKS), *, rename=None, rows=None, entry=None):
    """A run's folder.

    Args:
        folder: Where.
        attacks: Which of the toy attacks it holds.
        rename: Old to new name of an attack.
        rows: What happens to the predictions.
        entry: What happens to each entry.
    """
    rename = rename or {}
    frames = []
    for frame in make_frames():
        mine = frame[frame["attack"].isin(attacks)].copy()
        for old, new in rename.items():
            chosen = mine["attack"] == old
            mine.loc[chosen, "attack_key"] = f"k-{new}"
            mine.loc[chosen, "attack"] = new
        frames.append(mine)
    if rows is not None:
        frames[0] = rows(frames[0])
    entries = []
    for name in attacks:
        made = make_entry(name)
        if name in rename:
            new = rename[name]
            made["attack"] |= {"name": new, "key": f"k-{new}", "digest": f"d-{new}"}
        if entry is not None:
            entry(made)
        entries.append(made)
    write_run(folder, *frames, entries)
    return folder


def other_networks(entry):
    """The victims were trained anew."""
    for victim in entry["victims"]:
        victim["digest"] = f"anew-{victim['name']}"


def without(attack, victim):
    """Predictions without one cell of the matrix."""

    def drop(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[(rows["attack"] != attack) | (rows["victim"] != victim)]

    return drop


def change_entry(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
