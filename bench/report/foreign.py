"""What is not the protocol's own: plug-ins, what was sent as images or predictions, other networks.

It may state what it likes, and still takes no part in what the protocol's own networks stand for:
the means over its fifteen victims, and the paper's rows.
"""

from typing import Any

from bench.report.published import ARCHITECTURES, FAMILIES

_MARKS = ("plug_in", "files_sha256", "predictions_sha256")


def is_foreign(record: dict[str, Any]) -> bool:
    """Whether the record of an attack or a victim, in an entry, is of something foreign."""
    return any(mark in record for mark in _MARKS)


def family_of(victim: dict[str, Any]) -> str:
    """The family that a victim of an entry is counted in.

    The protocol's families hold its fifteen victims; any other has a column of its own.
    """
    stated, name = str(victim["family"]), str(victim["name"])
    if stated not in FAMILIES:
        return stated
    fifteen = {f"{stated}-{architecture}" for architecture in ARCHITECTURES}
    return stated if name in fifteen and not is_foreign(victim) else name
