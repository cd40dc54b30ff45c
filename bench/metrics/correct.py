"""Success where there was something to win: on images that the victim attributed correctly before.

An image that a victim misattributes untouched counts as a success of every attack in UASR. These
rows leave it out, as much of the literature on adversarial examples does.
"""

import pandas as pd

from bench.metrics.success import clean_rows


def originally_correct(predictions: pd.DataFrame) -> pd.DataFrame:
    """In-distribution rows of the images that the row's own victim got right when untouched.

    Out of distribution no victim can be right, so those rows are left out.

    Returns:
        The rows kept, in their order and with their columns; all functions of
        `bench.metrics.success` take them.

    Raises:
        ValueError: As `clean_rows`: without the identity control nothing is known to be correct.
    """
    clean = clean_rows(predictions)
    right = clean.loc[clean["predicted"] == clean["source"], ["image_id", "victim"]]
    inside = predictions[predictions["split"] == "in"]
    known = pd.MultiIndex.from_frame(right)
    return inside[pd.MultiIndex.from_frame(inside[["image_id", "victim"]]).isin(known)]
