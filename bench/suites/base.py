"""What a suite is: sets of images with a manifest, in the store under a fingerprint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.data import AdversarySet, ExaminerSet, LabelledImages
from bench.store import Store, explaining_damage, read_json, write_json
from bench.store.checksums import kept_checksum, require_as_written
from bench.suites.set_files import kept_array, write_set
from bench.types import IN, OUT, REAL, SILENT, SILENT_DEFAULT, CamobenchError, Progress, SetName

LabelledT = TypeVar("LabelledT", bound=LabelledImages)

SPLIT_BY_IMAGE = "split by image"
"""What a suite's note says where sets share devices; the audit then warns instead of failing."""
SHARED_SCENES = "the sets' cameras photographed the same motifs"
"""The same for scenes."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One image of a manifest.

    Attributes:
        photo_id: The photograph it comes from; tiles of one photograph share it.
        partition: "evaluation" in Set-C, "train" or "validation" in the others.
        sha256: Of the file that the camera wrote.
        jpeg_tables: Digest of its quantisation tables; `None`, as below, where it is no JPEG.
        jpeg_quality: 1 to 100, the nearest of the Independent JPEG Group.
        jpeg_subsampling: Of the chroma, such as "4:2:0".
        look: Of the whole photograph (`bench.signal.thumbnail`); no column where it is `None`.
    """

    image_id: str
    photo_id: str
    model: str
    device: str
    scene: str | None
    set: SetName
    split: str
    partition: str
    sha256: str
    jpeg_tables: str | None = None
    jpeg_quality: int | None = None
    jpeg_subsampling: str | None = None
    look: str | None = None


@dataclass(frozen=True, kw_only=True)
class SuiteCard:
    """What a suite is, known before any image is made.

    Attributes:
        classes: The in-distribution camera models, in the order of the victims' classes.
        others: The out-of-distribution camera models.
        real: The camera models of the split of real photographs, if there is one.
        more_models: What Set-D has beside the classes; it is made only for victims that know more
            camera models than the attacks do. None: the suite has no such set.
        image_px: Side of its square images.
        note: Shown under every table, such as how a folder was split.
    """

    name: str
    version: int
    fingerprint: str
    classes: tuple[str, ...]
    others: tuple[str, ...]
    image_px: int
    note: str = ""
    real: tuple[str, ...] = field(default=(), metadata=SILENT_DEFAULT)
    more_models: tuple[str, ...] = field(default=(), metadata=SILENT_DEFAULT)

    @property
    def split_of(self) -> dict[str, str]:
        """The split of each camera model."""
        parts = {IN: self.classes, OUT: self.others, REAL: self.real}
        return {model: split for split, models in parts.items() for model in models}

    def taught(self, set_name: SetName) -> tuple[str, ...]:
        """The camera models that what is trained on a set tells apart."""
        return self.classes + self.more_models if set_name == "D" else self.classes


Images: TypeAlias = Iterator[tuple[Row, NDArray[np.uint8]]]
"""Images of (3, H, W) with what is known of each."""


class SuiteSource(Protocol):
    """Where a suite's images come from."""

    @property
    def card(self) -> SuiteCard:
        """What the suite is."""

    def count(self, set_name: SetName) -> int:
        """Number of images in a set."""

    def rows(self, set_name: SetName, workers: int, start: int = 0) -> Images:
        """Yield each image of a set from `start` on, always in the same order.

        They are made by `workers` processes or threads; a killed preparation continues by `start`.
        """


class Suite:
    """A suite in the store, and the source of itself where what it was made of is not at hand."""

    def __init__(self, card: SuiteCard, folder: Path) -> None:
        self.card, self.folder = card, folder

    def has(self, set_name: SetName) -> bool:
        """Whether the set is on disk."""
        return (self.folder / set_name / "manifest.parquet").is_file()

    def count(self, set_name: SetName) -> int:
        """Number of images in a set that is on disk."""
        return len(self.manifest(set_name))

    def rows(self, set_name: SetName, workers: int, start: int = 0) -> Images:
        """Yield each image of a set from `start` on, as the source did that it was made from."""
        self.verify(set_name)
        records = self.manifest(set_name).to_dict("records")[start:]
        for record, pixels in zip(records, self.images(set_name)[start:], strict=True):
            yield Row(**{str(name): value for name, value in record.items()}), pixels

    def manifest(self, set_name: SetName) -> pd.DataFrame:
        """One row an image, in the order of `images`.

        Raises:
            CamobenchError: If the set is not on disk, or damaged.
        """
        path = self._set_folder(set_name) / "manifest.parquet"
        with explaining_damage(path, path.parent):
            return pd.read_parquet(path)

    def images(self, set_name: SetName) -> NDArray[np.uint8]:
        """(N, 3, H, W) uint8, memory-mapped; what is written to it never reaches the file.

        Raises:
            CamobenchError: As `manifest`.
        """
        path = self._set_folder(set_name) / "images.npy"
        with explaining_damage(path, path.parent):
            images: NDArray[np.uint8] = np.load(path, mmap_mode="c")
        return images

    def checksum(self, set_name: SetName) -> str | None:
        """SHA-256 of the images of a set.

        Raises:
            CamobenchError: If the set is not on disk.
        """
        return kept_checksum(self._set_folder(set_name) / "images.npy")

    def verify(self, set_name: SetName) -> None:
        """Read a set and compare it with the checksums that were kept when it was made.

        Raises:
            CamobenchError: If it is not on disk, or damaged; names the file and the remedy.
        """
        folder = self._set_folder(set_name)
        for name in ("manifest.parquet", "images.npy"):
            require_as_written(folder / name, folder)

    def examiner_set(self, set_name: SetName = "A") -> ExaminerSet:
        """Set-A, for victims, or Set-D, for those that know more models."""
        return self._labelled(set_name, ExaminerSet)

    def adversary_set(self) -> AdversarySet:
        """Set-B, for attacks and their surrogates."""
        return self._labelled("B", AdversarySet)

    def _labelled(self, set_name: SetName, kind: type[LabelledT]) -> LabelledT:
        manifest = self.manifest(set_name)
        classes = self.card.taught(set_name)
        position = {name: i for i, name in enumerate(classes)}
        return kind(
            images=self.images(set_name),
            labels=np.array([position[model] for model in manifest["model"]], dtype=np.int64),
            classes=classes,
            validation=(manifest["partition"] == "validation").to_numpy(),
            keep=partial(kept_array, self._set_folder(set_name)),
        )

    def _set_folder(self, set_name: SetName) -> Path:
        if not self.has(set_name):
            raise CamobenchError(
                f"Set-{set_name} of {self.card.name} is not in the store; `camobench data prepare` "
                "(or `run`) with the same suite and options, such as --root, makes it"
            )
        return self.folder / set_name


def set_c_checksum(store: Store, name: str, fingerprint: str) -> str | None:
    """SHA-256 of the images of Set-C of a suite; `None` where they are not in the store."""
    return kept_checksum(store.data_folder(name, fingerprint) / "C" / "images.npy")


def prepare(
    source: SuiteSource,
    store: Store,
    sets: tuple[SetName, ...],
    *,
    workers: int = 1,
    progress: Progress = SILENT,
) -> Suite:
    """Make the missing `sets` of a suite in the store, check the others, and open it.

    Raises:
        CamobenchError: If a set that was made before is damaged, or one cannot be made.
    """
    card = source.card
    folder = store.data_folder(card.name, card.fingerprint)
    suite = Suite(card, folder)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "suite.json").is_file() or open_suite(folder).card != card:
        write_json(folder / "suite.json", asdict(card))
    for set_name in sets:
        with store.lock("data", folder.name, set_name):
            if suite.has(set_name):
                suite.verify(set_name)
            else:
                write_set(
                    folder / set_name,
                    f"{card.name}: Set-{set_name}",
                    (source.count(set_name), 3, card.image_px, card.image_px),
                    partial(source.rows, set_name, workers),
                    progress,
                )
    return suite


def open_suite(folder: Path) -> Suite:
    """Open a suite that `prepare` made.

    Raises:
        CamobenchError: If there is none, or its card is no such one.
    """
    path = folder / "suite.json"
    if not path.is_file():
        raise CamobenchError(f"no suite in {folder}; `camobench data prepare` makes one")
    card = read_json(path)
    models = {name: tuple(value) for name, value in card.items() if isinstance(value, list)}
    try:
        return Suite(SuiteCard(**card | models), folder)
    except TypeError as error:
        raise CamobenchError(
            f"{path} is damaged, or another version of camobench wrote it ({error}): use that "
            "version, or move its folder away and prepare the suite anew"
        ) from error
