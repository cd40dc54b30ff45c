"""Prediction rows that no honest scoring run can have written are refused, by name."""

import pandas as pd

from bench.types import SPLITS


def check_predictions(predictions: pd.DataFrame) -> None:
    """Refuse rows that no honest scoring run can have written.

    A victim may state no probability at all, in none of its rows.

    Raises:
        ValueError: If a probability is NaN where it is defined or lies outside [0, 1], a target
            is the source ("in"), a split is unknown, or a cell is there twice; rows are named.
    """
    inside = predictions["split"] == "in"
    targeted = predictions["target"].notna()
    _refuse(
        predictions,
        ~predictions["split"].isin(list(SPLITS)),
        f"`split` is none of {', '.join(SPLITS)}",
    )
    _refuse(predictions, predictions["predicted"].isna(), "`predicted` is missing")
    columns = ["p_predicted", "p_source", "p_target"]
    stated = predictions[columns].notna().any(axis=1).groupby(predictions["victim"]).any()
    sure = predictions["victim"].map(stated).astype(bool)
    for column, defined in (
        ("p_predicted", sure),
        ("p_source", sure & inside),
        ("p_target", sure & targeted),
    ):
        values = predictions[column].astype("float64")
        _refuse(predictions, defined & values.isna(), f"`{column}` is NaN")
        outside = values.notna() & ~values.between(-1e-6, 1 + 1e-6)
        _refuse(predictions, outside, f"`{column}` is outside [0, 1]")
    same = inside & targeted & (predictions["source"] == predictions["target"])
    _refuse(predictions, same, "the target is the source, which the protocol leaves out")
    cell = ["split", "image_id", "target", "attack", "victim"]
    _refuse(predictions, predictions.duplicated(cell), "the cell is there twice")


def _refuse(rows: pd.DataFrame, wrong: "pd.Series[bool]", what: str) -> None:
    if not wrong.any():
        return
    first = rows.loc[wrong, ["split", "image_id", "target", "attack", "victim"]].head(3)
    named = "; ".join(" ".join(map(str, row)) for row in first.itertuples(index=False))
    raise ValueError(
        f"predictions: {what} in {int(wrong.sum())} of {len(rows)} rows "
        f"(split image target attack victim: {named}); score these attacks anew"
    )
