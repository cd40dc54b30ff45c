"""Whether the data of a JPEG is that of its whole picture (ISO/IEC 10918-1, Annex B).

libjpeg fills what is missing with grey, skips what is too much, warns, and Pillow keeps that to
itself; simplejpeg makes the warning an error. Losses that leave the number of units the same are
not found, nor all of those in arithmetic coding, which no camera writes.
"""

from __future__ import annotations

import re

import simplejpeg

from bench.data.errors import DamagedError

_PADDING = re.compile(r" (\d+) extraneous bytes before marker 0xd9$")
_MOST_PADDED = 16
"""Bytes that a camera may write between the data and the end of a picture."""
_MARKER = re.compile(rb"\xff+([^\x00\xff\x01\xd0-\xd8])")  # but those without a length
_PROGRESSIVE = {0xC0: False, 0xC1: False, 0xC2: True, 0xC9: False, 0xCA: True}  # frames
_DESCRIPTIONS = {*range(0xE0, 0xF0), 0xFE}
_SOS, _EOI = 0xDA, 0xD9


def require_whole(data: bytes) -> None:
    """Refuse a JPEG with too little or too much data for its picture.

    Raises:
        DamagedError: Says how.
    """
    plain, coded = _read(data)
    try:
        simplejpeg.decode_jpeg(plain, min_height=1, min_width=1, min_factor=8)
    except ValueError as error:
        padding = _PADDING.search(str(error))
        if padding is None or int(padding[1]) > _MOST_PADDED:
            raise DamagedError(str(error)) from error
    if any(len(coefficients) < 64 for coefficients in coded.values()):
        raise DamagedError("it ends before its last scan")


def _read(data: bytes) -> tuple[bytes, dict[int, set[int]]]:
    """A JPEG without what libjpeg warns of where its data is whole, and how much that codes.

    Such are descriptions before the scans, and that a sequential scan states other coefficients
    than the 0 to 63 which each has, as some of Samsung's phones do.

    Returns:
        The JPEG; of each component, the coefficients that are coded to their last bit.
    """
    kept: list[bytes] = []
    coded: dict[int, set[int]] = {}
    at, progressive, dropped = 0, False, _DESCRIPTIONS
    while (marker := _MARKER.search(data, at)) and (kind := marker[1][0]) != _EOI:
        kept.append(data[at : marker.start()])
        start = marker.end() + 2
        at = max(start, start - 2 + int.from_bytes(data[start - 2 : start], "big"))
        segment = data[marker.start() : at]
        if kind in _PROGRESSIVE:
            progressive = _PROGRESSIVE[kind]
            coded = {component: set() for component in data[start:at][6::3]}
        elif kind == _SOS and coded:
            dropped = set()  # amid the data of a scan they are damage
            if not progressive:
                segment = segment[:-3] + bytes([0, 63, 0])
            first, last, precision = segment[-3:].rjust(3)
            for component in data[start:at][1:-3:2]:
                done = range(first, last + 1) if precision & 15 == 0 else ()
                coded.setdefault(component, set()).update(done)
        if kind not in dropped:
            kept.append(segment)
    return b"".join([*kept, data[at:]]), coded
