"""Is every image there once for every target and victim that the protocol wants?"""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

import pandas as pd

from bench.types import SPLITS
from bench.verdicts import Verdict
from bench.wording import listed, plural

IMAGE = ["image_id", "photo_id", "device", "source", "split"]


def images_of(*frames: pd.DataFrame) -> pd.DataFrame:
    """Each image that any row names, once, with its photograph, device, source and split."""
    return pd.concat([frame[IMAGE] for frame in frames]).drop_duplicates(ignore_index=True)


def images_digest(images: pd.DataFrame) -> str:
    """SHA-256 of which images there are, and of which photograph, device, source and split."""
    lines = sorted(json.dumps(row) for row in images[IMAGE].astype(str).to_numpy().tolist())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def check_images(images: pd.DataFrame, suite: dict[str, Any]) -> Verdict:
    """One photograph, device, source and split an image; all of Set-C; classes inside only.

    Args:
        images: What `images_of` returns.
        suite: As an entry states it. What Set-C holds is known of simulated suites, and is
            stated by entries of others; older ones do not say it.
    """
    torn = sorted(images.loc[images["image_id"].duplicated(), "image_id"].unique())
    wrong = images[images["source"].isin(suite["classes"]) != (images["split"] == "in")]
    strange = sorted(images.loc[~images["split"].isin(list(SPLITS)), "image_id"].unique())
    problems = []
    if torn:
        problems.append(f"photograph, device, source or split change from row to row: {_n(torn)}")
    if strange:
        problems.append(f"`split` is none of {', '.join(SPLITS)}: {_n(strange)}")
    if len(wrong):
        problems.append(f"split and source contradict each other: {_n(list(wrong['image_id']))}")
    evaluated = _simulated().get(str(suite["fingerprint"])) or suite.get("evaluated")
    if evaluated and not problems and images_digest(images) != evaluated["sha256"]:
        problems.append(
            f"Set-C has {plural(evaluated['images'], 'image')}, the rows are of {len(images)}, or "
            "of others"
        )
    counts = ", ".join(
        f"{count} {split}" for split, count in images.groupby("split").size().items()
    )
    return Verdict(
        check="images",
        verdict="fail" if problems else "ok",
        finding="; ".join(problems) or f"{counts}, each of one photograph, device and source",
    )


@cache
def _simulated() -> dict[str, dict[str, Any]]:
    """Images of the simulated suites' Set-C, by the suite's fingerprint."""
    file = resources.files("bench") / "assets" / "evaluated.json"
    found: dict[str, dict[str, Any]] = json.loads(file.read_text("utf-8"))
    return found


def wanted_cells(images: pd.DataFrame, classes: Sequence[str], *, targeted: bool) -> pd.MultiIndex:
    """(image_id, target) of one attack; the target is "" for an untargeted one.

    In distribution every target but the source, out of distribution every target.
    """
    if not targeted:
        pairs = [(image, "") for image in images["image_id"]]
    else:
        known = zip(images["image_id"], images["source"], strict=True)
        pairs = [(image, name) for image, source in known for name in classes if name != source]
    return pd.MultiIndex.from_tuples(pairs, names=["image_id", "target"])


def present_cells(rows: pd.DataFrame) -> pd.MultiIndex:
    """(image_id, target) of rows, as `wanted_cells` names them."""
    targets = rows["target"].astype("object").where(rows["target"].notna(), "")
    return pd.MultiIndex.from_arrays([rows["image_id"], targets], names=["image_id", "target"])


def cell_problems(
    rows: pd.DataFrame, wanted: pd.MultiIndex, where: str, *, partial: bool = False
) -> list[str]:
    """Missing, surplus and doubled cells, named; where `partial`, some may be missing."""
    present = present_cells(rows)
    twice = present[present.duplicated()].unique()
    found = {
        "missing": [] if partial else wanted.difference(present),
        "surplus": present.unique().difference(wanted),
        "there twice": twice,
    }
    return [
        f"{plural(len(cells), 'row')} {what}{where}: {_n([_cell(c) for c in cells])}"
        for what, cells in found.items()
        if len(cells)
    ]


def _cell(cell: tuple[str, str]) -> str:
    return f"{cell[0]} to {cell[1]}" if cell[1] else cell[0]


def _n(names: list[str]) -> str:
    return listed(names, 3)
