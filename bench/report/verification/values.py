"""Can an honest scoring run have written these labels, probabilities, keys and distortions?"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from bench.wording import listed

TOLERANCE = 1e-5


def prediction_problems(rows: pd.DataFrame, entry: dict[str, Any]) -> Iterator[str]:
    """What is wrong with one attack's prediction rows.

    The predicted label has the highest probability, so a label or a probability that was changed
    alone contradicts the others.

    Args:
        rows: All prediction rows of the attack.
        entry: Its entry.
    """
    attack, victims = entry["attack"], {victim["name"]: victim for victim in entry["victims"]}
    inside, targeted = rows["split"] == "in", rows["target"].notna()
    p = {name: rows[f"p_{name}"].astype("float64") for name in ("predicted", "source", "target")}
    mute = [name for name, victim in victims.items() if victim.get("labels_only")]
    sure = ~rows["victim"].isin(mute)  # the others state labels alone
    defined = {"predicted": sure, "source": sure & inside, "target": sure & targeted}
    yield from _named(rows, rows["suite"] != entry["suite"]["name"], "the suite is another")
    yield from _named(rows, rows["attack_key"] != attack["key"], "attack_key is not the entry's")
    keys = rows["victim"].map({name: victim["key"] for name, victim in victims.items()})
    yield from _named(rows, rows["victim_key"] != keys, "victim_key is not the entry's")
    known = {(name, label) for name, victim in victims.items() for label in victim["classes"]}
    labels = pd.MultiIndex.from_frame(rows[["victim", "predicted"]])
    strange = pd.Series(~labels.isin(list(known)), index=rows.index)
    yield from _named(rows, strange, "`predicted` is no class of its victim")
    for name, values in p.items():
        yield from _named(rows, defined[name] & values.isna(), f"`p_{name}` is NaN")
        yield from _named(rows, ~defined[name] & values.notna(), f"`p_{name}` is not defined here")
        outside = values.notna() & ~values.between(-1e-6, 1 + 1e-6)
        yield from _named(rows, outside, f"`p_{name}` is outside [0, 1]")
    for name in ("source", "target"):
        column = rows[name].astype("object")
        same = defined[name] & (rows["predicted"].astype("object") == column)
        apart = (p["predicted"] - p[name]).abs() > TOLERANCE
        yield from _named(
            rows, same & apart, f"`predicted` is the {name}, with another probability than it"
        )
        above = defined[name] & (p[name] > p["predicted"] + TOLERANCE)
        yield from _named(rows, above, f"the {name} is likelier than `predicted`")
    others = [
        p[name].where(defined[name] & (rows["predicted"].astype("object") != rows[name]), 0.0)
        for name in ("source", "target")
    ]
    total = p["predicted"] + others[0].fillna(0) + others[1].fillna(0)
    yield from _named(rows, total > 1 + TOLERANCE, "probabilities add up to more than 1")
    sizes = rows["victim"].map({name: len(v["classes"]) for name, v in victims.items()})
    yield from _named(
        rows, p["predicted"] < 1 / sizes - TOLERANCE, "`p_predicted` is below one in all classes"
    )


def distortion_problems(rows: pd.DataFrame, entry: dict[str, Any]) -> Iterator[str]:
    """What is wrong with one attack's distortion rows."""
    yield from _named(rows, rows["suite"] != entry["suite"]["name"], "the suite is another")
    key = entry["attack"]["key"]
    yield from _named(rows, rows["attack_key"] != key, "attack_key is not the entry's")
    psnr, ssim, lpips = (rows[name].astype("float64") for name in ("psnr_db", "ssim", "lpips"))
    yield from _named(rows, psnr.isna() | (psnr < 0), "`psnr_db` is NaN or negative")
    yield from _named(rows, ~ssim.between(-1 - TOLERANCE, 1 + TOLERANCE), "`ssim` is no similarity")
    unlike = (psnr == np.inf) & (ssim < 1 - 1e-4)
    yield from _named(rows, unlike, "an unchanged image is not like its original")
    yield from _named(rows, lpips.isna() | (lpips < -TOLERANCE), "`lpips` is NaN or negative")


def _named(rows: pd.DataFrame, wrong: "pd.Series[bool]", what: str) -> Iterator[str]:
    if not wrong.any():
        return
    columns = [name for name in ("image_id", "target", "victim") if name in rows]
    first = rows.loc[wrong, columns].astype("object")
    names = [
        " ".join(str(value) for value in row if not pd.isna(value))
        for row in first.head(4).itertuples(index=False)
    ]
    count = int(wrong.sum())
    shown = listed(names, 3) if count <= 3 else f"{', '.join(names[:3])} and {count - 3} more"
    yield f"{what} in {count} of {len(rows)} rows: {shown}"
