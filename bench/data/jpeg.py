"""Whether the data of a JPEG is that of its whole picture (ISO/IEC 10918-1, Annex B).

libjpeg fills what is missing with grey, skips what is too much, warns, and Pillow keeps that to
itself. So the picture is decoded twice at an eighth of its size with one more row of units (MCU)
than it has, the second time with noise behind the data: noise that reaches the picture stands where
data is missing, and a further row that is not grey was decoded from data of a shifted picture.
Restart markers are counted, and zeros and repeated stretches that no picture has are looked for.
Other losses that leave the number of units the same are not found.
"""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.data.errors import DamagedError

_BLOCK_PX = 8
_GREY = 128
_END_OF_BLOCK = 0
_ZEROS = bytes(64)  # more bits than the longest block has
_REPEATED = 64  # bytes that no two places of a photograph share
_WINDOW, _AROUND = 16, 48
_VARIED = 24  # values among these bytes; flat parts of a picture repeat fewer
_NOISE = np.random.default_rng(0).integers(1, 255, 512, dtype=np.uint8).tobytes()
_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
_HUFFMAN = {0xC0: False, 0xC1: False, 0xC2: True}  # starts of frame; whether progressive
_OTHER_FRAMES = {*range(0xC3, 0xD0)} - {0xC4, 0xC8, 0xCC}
_RESTARTS = range(0xD0, 0xD8)
_DHT, _SOI, _EOI, _SOS, _DRI = 0xC4, 0xD8, 0xD9, 0xDA, 0xDD
_ALONE = {0x01, *_RESTARTS, _SOI}  # markers without a length


@dataclass
class _Frame:
    """What the markers of a JPEG say.

    Attributes:
        height_at: Where its height stands.
        unit: Height and width of an MCU in pixels.
        components: Vertical and horizontal sampling of each.
        interval: Units between restart markers; 0 where there are none.
        starts_at: Where the data of the first scan starts.
        ends: Where the data of each scan and restart interval ends.
        coded: Of each component, the coefficients that some scan codes to their last bit.
        zero_bits: What a code of zeros means in each table of AC coefficients.
    """

    height_at: int = 0
    height: int = 0
    width: int = 0
    unit: tuple[int, int] = (_BLOCK_PX, _BLOCK_PX)
    starts_at: int = 0
    progressive: bool = False
    components: dict[int, tuple[int, int]] = field(default_factory=dict)
    interval: int = 0
    ends: list[int] = field(default_factory=list)
    coded: dict[int, set[int]] = field(default_factory=dict)
    zero_bits: dict[int, int] = field(default_factory=dict)


def require_whole(data: bytes) -> None:
    """Refuse a JPEG with too little or too much data for its picture.

    Files with arithmetic coding or without loss, which no camera writes, are not looked at.

    Raises:
        DamagedError: Says how.
        OSError: If it cannot be decoded at all.
    """
    frame = _read_markers(data)
    if frame is None:
        return
    if any(len(coded) < 64 for coded in frame.coded.values()):
        raise DamagedError("it ends before its last scan")
    _require_no_repeat(np.frombuffer(data, np.uint8)[frame.starts_at : frame.ends[-1]])
    rows = -(-frame.height // frame.unit[0])
    height = (rows + 1) * frame.unit[0]
    if height > 0xFFFF or frame.width < _BLOCK_PX:
        return
    taller = data[: frame.height_at] + struct.pack(">H", height) + data[frame.height_at + 2 :]
    small = 1 if frame.progressive else _BLOCK_PX  # an eighth shows no coefficient but the first
    plain = _decoded(taller, small)
    noisy = _decoded(_with_noise(taller, frame.ends), small)
    bled = int(frame.progressive)  # a row that smooth upsampling mixes with its neighbour
    padded = 8 if frame.progressive else 1  # units that the bits to the next byte may reach
    shown = -(-frame.height // small) - bled
    if (plain[:shown] != noisy[:shown]).any():
        raise DamagedError("its data ends before its picture does")
    extra = plain[rows * frame.unit[0] // small + bled :, padded * frame.unit[1] // small + bled :]
    if (extra != _GREY).any() and not (frame.progressive and frame.interval):
        raise DamagedError(
            "its data goes on after its picture, as when a part of it was overwritten"
        )


def _read_markers(data: bytes) -> _Frame | None:
    """Walk from marker to marker, up to the end of the (first) image."""
    frame, at = _Frame(), 2
    while True:
        found = _next_marker(data, at)
        kind, at = found[1][0], found.end()
        if kind == _EOI:
            break
        if kind in _ALONE:
            continue
        if kind in _OTHER_FRAMES:
            return None
        (length,) = struct.unpack(">H", data[at : at + 2].ljust(2, b"\0"))
        body = data[at + 2 : at + length]
        if length < 2 or len(body) < length - 2:
            raise DamagedError("it ends within its header")
        try:
            if kind in _HUFFMAN:
                frame.height_at, frame.progressive = at + 3, _HUFFMAN[kind]
                _read_frame(frame, body)
            elif kind == _DRI:
                (frame.interval,) = struct.unpack(">H", body)
            elif kind == _DHT:
                _read_tables(frame, body)
            at += length
            if kind == _SOS:
                at = _read_scan(frame, data, at, body)
        except (struct.error, LookupError, ValueError, ZeroDivisionError) as error:
            raise DamagedError("its header makes no sense") from error
    return frame if frame.ends and frame.components else None


def _next_marker(data: bytes, at: int) -> re.Match[bytes]:
    found = _MARKER.search(data, at)
    if found is None:
        raise DamagedError("it has no end")
    return found


def _read_frame(frame: _Frame, body: bytes) -> None:
    _, frame.height, frame.width, count = struct.unpack(">BHHB", body[:6])
    for name, sampling, _ in struct.iter_unpack("3B", body[6 : 6 + 3 * count]):
        frame.components[name] = (sampling & 15, sampling >> 4)
        frame.coded[name] = set()
    down, across = (max(sides) for sides in zip(*frame.components.values(), strict=True))
    frame.unit = (down * _BLOCK_PX, across * _BLOCK_PX)


def _read_tables(frame: _Frame, body: bytes) -> None:
    while body:
        kind, count = body[0], sum(body[1:17])
        if kind >> 4:
            frame.zero_bits[kind & 15] = body[17]
        body = body[17 + count :]


def _read_scan(frame: _Frame, data: bytes, at: int, head: bytes) -> int:
    """Find where the data of a scan and of its restart intervals ends; returns the next marker."""
    names = [head[1 + 2 * i] for i in range(head[0])]
    first, last, precision = head[1 + 2 * len(names) : 4 + 2 * len(names)]
    for name in names:
        if not frame.progressive:
            frame.coded[name] |= set(range(64))
        elif precision & 15 == 0:
            frame.coded[name] |= set(range(first, last + 1))
    numbers: list[int] = []
    start = at
    frame.starts_at = frame.starts_at or start
    while (found := _next_marker(data, at))[1][0] in _RESTARTS:
        numbers.append(found[1][0] - _RESTARTS[0])
        frame.ends.append(found.start())
        at = found.end()
    frame.ends.append(found.start())
    tables = {head[2 + 2 * i] & 15 for i in range(head[0])}
    if frame.progressive:
        flat = first == 0  # a run of flat blocks has one code, but of the first coefficients
    else:
        flat = all(frame.zero_bits[table] == _END_OF_BLOCK for table in tables)
    if not flat and _ZEROS in data[start : found.start()]:
        raise DamagedError("a stretch of it was overwritten with zeros")
    if frame.interval:
        down, across = frame.unit
        if len(names) == 1:  # a unit is then a block of the component
            v, h = frame.components[names[0]]
            down, across = down // v, across // h
        units = -(-frame.height // down) * -(-frame.width // across)
        if numbers != [count % 8 for count in range((units - 1) // frame.interval)]:
            raise DamagedError("its restart markers are not those of its picture")
    return found.start()


def _require_no_repeat(coded: NDArray[np.uint8]) -> None:
    """Refuse data (B,) with a varied stretch twice, as when it was copied over another.

    Patterns pass: they repeat much of their data, or stretches at several distances.
    """
    if len(coded) < 2 * _REPEATED:
        return
    hashes, width, factor = coded.astype(np.uint32), 1, 0x01000193
    while width < _WINDOW:
        hashes = hashes[:-width] * np.uint32(factor) + hashes[width:]
        width, factor = 2 * width, factor * factor % 2**32
    at = np.flatnonzero(hashes >> 29 == 0)  # one in eight, by what stands there
    order = at[np.argsort(hashes[at], kind="stable")]
    same = hashes[order][1:] == hashes[order][:-1]
    if 4 * same.sum() > len(at):
        return
    twice = same & ~np.r_[False, same[:-1]] & ~np.r_[same[1:], False]
    pairs = np.stack([order[:-1][twice], order[1:][twice]])
    inside = (pairs[0] >= _AROUND) & (pairs[1] + _WINDOW + _AROUND <= len(coded))
    pairs = pairs[:, inside & (pairs[1] - pairs[0] >= _REPEATED)][:, :10_000]
    first, again = coded[pairs[..., None] + np.arange(-_AROUND, _WINDOW + _AROUND)]
    equal = first == again
    before = np.cumprod(equal[:, _AROUND - 1 :: -1], axis=1).sum(1)
    behind = np.cumprod(equal[:, _AROUND:], axis=1).sum(1)
    long, apart = False, set()
    for stretch, start, end, distance in zip(
        first, _AROUND - before, _AROUND + behind, pairs[1] - pairs[0], strict=True
    ):
        values = len(np.unique(stretch[start:end]))
        long |= end - start >= _REPEATED and values >= _VARIED
        if end - start >= _REPEATED // 2 and values >= _VARIED // 2:
            apart.add(int(distance))
    if long and len(apart) == 1:  # a pattern has more
        raise DamagedError("a stretch of it stands in two places")


def _with_noise(data: bytes, ends: list[int]) -> bytes:
    """The same with noise behind the data of every scan and restart interval."""
    starts = [0, *ends]
    return _NOISE.join(data[i:j] for i, j in zip(starts, [*ends, len(data)], strict=True))


def _decoded(data: bytes, small: int) -> NDArray[np.uint8]:
    """(H, W, 3) pixels of a JPEG at a fraction of its size."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        if small > 1:
            image.draft("RGB", (image.width // small, image.height // small))
        return np.asarray(image)
