"""Whether the data of a JPEG is that of its whole picture (ISO/IEC 10918-1, Annex B).

libjpeg fills what is missing with grey, skips what is too much, warns, and Pillow keeps that to
itself; simplejpeg makes the warning an error. Losses that leave the number of units the same are
not found.
"""

from __future__ import annotations

import re
from collections import defaultdict

import simplejpeg

from bench.data.errors import DamagedError

_PADDING = re.compile(r" (\d+) extraneous bytes before marker 0xd9$")
_MOST_PADDED = 16
"""Bytes that a camera may write between the data and the end of a picture."""
_MARKER = re.compile(rb"\xff+([^\x00\xff\x01\xd0-\xd8])")  # but those without a length
_PROGRESSIVE, _SOS, _EOI = 0xC2, 0xDA, 0xD9


def require_whole(data: bytes) -> None:
    """Refuse a JPEG with too little or too much data for its picture.

    Raises:
        DamagedError: Says how.
    """
    try:
        simplejpeg.decode_jpeg(data, min_height=1, min_width=1, min_factor=8)
    except ValueError as error:
        padding = _PADDING.search(str(error))
        if padding is None or int(padding[1]) > _MOST_PADDED:
            raise DamagedError(str(error)) from error
    if any(len(coded) < 64 for coded in _coded(data).values()):
        raise DamagedError("it ends before its last scan")


def _coded(data: bytes) -> dict[int, set[int]]:
    """Of a progressive JPEG, the coefficients of each component that are coded to their last bit.

    Other files have one scan a component, and none of these.
    """
    found: dict[int, set[int]] = defaultdict(set)
    at, progressive = 2, False
    while (marker := _MARKER.search(data, at)) and (kind := marker[1][0]) != _EOI:
        start = marker.end()
        at = start + int.from_bytes(data[start : start + 2], "big")
        body = data[start + 2 : at]
        progressive |= kind == _PROGRESSIVE
        if progressive and kind == _SOS:
            first, last, precision = body[-3:]
            for component in body[1:-3:2]:
                found[component] |= set(range(first, last + 1)) if precision & 15 == 0 else set()
    return found
