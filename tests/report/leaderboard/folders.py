"""Folders of results for the leaderboard's tests, spoilt in ways that the tests name."""

import pandas as pd

from bench.report.leaderboard.boards import load_boards
from tests.toy_run import ATTACKS, make_entry, make_frames, write_run


def write_folder(folder, attacks=tuple(ATTACKS), *, rename=None, rows=None, both=None, entry=None):
    """A run's folder.

    Args:
        folder: Where.
        attacks: Which of the toy attacks it holds.
        rename: Old to new name of an attack.
        rows: What happens to the predictions.
        both: What happens to predictions and distortions.
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
    if both is not None:
        frames = [both(frame) for frame in frames]
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


def boards_of(*places):
    """All boards of places of which nothing is left out."""
    boards, left_out = load_boards(list(places))
    assert left_out == []
    return boards


def other_networks(entry):
    """The victims were trained anew."""
    for victim in entry["victims"]:
        victim["digest"] = f"anew-{victim['name']}"


def without(attack, victim):
    """Predictions without one cell of the matrix."""

    def drop(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[(rows["attack"] != attack) | (rows["victim"] != victim)]

    return drop


def failed(attack, victim, reason="NaN in a logit"):
    """The entry of an attack declares that a cell of it failed."""

    def declare(entry):
        if entry["attack"]["name"] == attack:
            next(v for v in entry["victims"] if v["name"] == victim)["digest"] = "none"
            told = {"victim": victim, "who": f"victim {victim}", "reason": reason}
            entry["failed"] = [{**told, "log": "failures/x.log"}]

    return declare


def in_part(attack, scored, wanted):
    """The entry of an attack declares that it was sent in part."""

    def declare(entry):
        if entry["attack"]["name"] == attack:
            coverage = {"scored": scored, "wanted": wanted}
            entry["attack"] |= {"coverage": coverage, "files_sha256": "0"}

    return declare
