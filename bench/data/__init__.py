"""Images in memory: what the two sides are handed, and decoding of photographs."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.data.errors import UnusableError
from bench.data.formats import opened, pixels_of, size_of
from bench.types import CamobenchError


class ImageError(CamobenchError):
    """A photograph that cannot be used; names the file and the remedy."""


Keep: TypeAlias = Callable[
    [str, tuple[int, ...], Callable[[NDArray[np.float32]], None]], NDArray[np.float32]
]
"""Gives the float32 array of a name and shape; who is handed it fills it if there is none yet."""


def keep_nothing(
    name: str, shape: tuple[int, ...], fill: Callable[[NDArray[np.float32]], None]
) -> NDArray[np.float32]:
    """A `Keep` that fills a new array each time."""
    values = np.empty(shape, np.float32)
    fill(values)
    return values


@dataclass(frozen=True, kw_only=True)
class LabelledImages:
    """Images of one set with their camera models.

    Attributes:
        images: (N, 3, H, W) uint8 RGB, possibly memory-mapped.
        labels: (N,) int64, positions in `classes`.
        classes: Camera models by name.
        validation: (N,) bool, the images held out of training (all patches of an image together).
        keep: Keeps what is derived from the images, so that no training derives it anew.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    validation: NDArray[np.bool_]
    keep: Keep = keep_nothing

    def __post_init__(self) -> None:
        count = len(self.images)
        if self.images.ndim != 4 or self.images.shape[1] != 3 or self.images.dtype != np.uint8:
            raise ValueError(
                f"expected uint8 `images` of shape (N, 3, H, W), "
                f"got {self.images.dtype} {self.images.shape}"
            )
        if len(self.labels) != count or len(self.validation) != count:
            raise ValueError(
                f"expected {count} labels and validation flags, "
                f"got {len(self.labels)} and {len(self.validation)}"
            )
        for part, chosen in (("training", ~self.validation), ("validation", self.validation)):
            present = np.bincount(self.labels[chosen], minlength=len(self.classes))
            if (present == 0).any():
                empty = [self.classes[i] for i in np.flatnonzero(present == 0)]
                raise CamobenchError(
                    f"no {part} image of {', '.join(empty)}: add images of that camera model "
                    "or leave the model out"
                )


@dataclass(frozen=True, kw_only=True)
class ExaminerSet(LabelledImages):
    """Set-A: what a victim is trained on."""


@dataclass(frozen=True, kw_only=True)
class AdversarySet(LabelledImages):
    """Set-B: all that an attack ever sees of the cameras it imitates."""


def decode_rgb(data: bytes, name: str) -> NDArray[np.uint8]:
    """Decode an encoded photograph into (3, H, W) uint8 RGB, never rotated by EXIF.

    A rotation would move the colour filter array's grid, which is evidence. Nothing is converted,
    and no colour profile applied: what does not hold 8-bit RGB is refused.

    Raises:
        ImageError: If it is no JPEG, PNG or TIFF, is damaged, or is not 8-bit RGB.
    """
    try:
        with opened(data) as image:
            return pixels_of(image)
    except UnusableError as error:
        raise ImageError(f"{name}: {error}") from error


def measure_rgb(data: bytes, name: str) -> tuple[int, int]:
    """Width and height of an encoded photograph that `decode_rgb` takes.

    Raises:
        ImageError: As `decode_rgb`.
    """
    try:
        with opened(data) as image:
            return size_of(image)
    except UnusableError as error:
        raise ImageError(f"{name}: {error}") from error


def encode_png(pixels: NDArray[np.uint8], **metadata: Any) -> bytes:
    """(3, H, W) pixels as a PNG with the metadata that Pillow is told, none by default."""
    data = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(data, "PNG", **metadata)
    return data.getvalue()


def as_jpeg(pixels: NDArray[np.uint8], quality_percent: int) -> NDArray[np.uint8]:
    """What a JPEG of Pillow's holds of (H, W, 3) pixels: standard tables, 4:2:0 chroma."""
    stream = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.save(stream, "JPEG", quality=quality_percent, subsampling="4:2:0")
    with Image.open(stream) as again:
        return np.asarray(again)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Read the file at `path` into (3, H, W) uint8 RGB.

    Raises:
        ImageError: If it is missing, cannot be decoded whole, or is not 8-bit RGB.
    """
    try:
        if not path.is_file() and path.exists():  # a pipe may never end
            raise OSError(errno.EINVAL, "no regular file")
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    return decode_rgb(data, str(path))
