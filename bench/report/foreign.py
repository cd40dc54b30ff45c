"""What is not camobench's own: plug-ins, and what was sent as images or predictions.

It may state what it likes, and still takes no part in what the protocol's own networks stand for:
the means over its fifteen victims, and the paper's rows.
"""

from typing import Any

from bench.report.published import FAMILIES

_MARKS = ("plug_in", "files_sha256", "predictions_sha256")


def is_foreign(record: dict[str, Any]) -> bool:
    """Whether the record of an attack or a victim, in an entry, is of something foreign."""
    return any(mark in record for mark in _MARKS)


def family_of(victim: dict[str, Any]) -> str:
    """The family that a victim of an entry is counted in.

    One that is foreign has a column of its own, and is in no family of the protocol.
    """
    stated = str(victim["family"])
    return str(victim["name"]) if is_foreign(victim) and stated in FAMILIES else stated
