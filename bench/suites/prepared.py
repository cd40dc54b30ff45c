"""A suite that lies in the store already, when the photographs it was made of are not at hand."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from bench.store import Store
from bench.suites.base import Row, Suite, SuiteCard, open_suite
from bench.types import CamobenchError, SetName


class PreparedSource:
    """The sets that are on disk, and no others.

    Args:
        suite: As `open_suite` gives it.
    """

    def __init__(self, suite: Suite) -> None:
        self.suite = suite

    @property
    def card(self) -> SuiteCard:
        """What the suite is."""
        return self.suite.card

    def count(self, set_name: SetName) -> int:
        """Number of images in a set.

        Raises:
            CamobenchError: If the set is not on disk.
        """
        if not self.suite.has(set_name):
            raise CamobenchError(
                f"Set-{set_name} of {self.card.name} is not in the store yet: "
                f"`camobench data prepare {self.card.name} --root DIR` makes what is missing"
            )
        return len(self.suite.manifest(set_name))

    def rows(
        self, set_name: SetName, workers: int, start: int = 0
    ) -> Iterator[tuple[Row, NDArray[np.uint8]]]:
        """Yield each image of a set from `start` on.

        Raises:
            CamobenchError: If the set is not on disk.
        """
        self.count(set_name)
        records = self.suite.manifest(set_name).to_dict("records")
        pairs = zip(records, self.suite.images(set_name), strict=True)
        for record, pixels in islice(pairs, start, None):
            yield Row(**{str(field): value for field, value in record.items()}), pixels


def find_prepared(name: str, store: Store) -> PreparedSource:
    """Open the one suite called `name` in the store.

    Raises:
        CamobenchError: If there is none, or more than one.
    """
    pattern = store.data_folder(name, "")
    folders = sorted(
        path
        for path in pattern.parent.glob(f"{pattern.name}{'[0-9a-f]' * 12}")
        if (path / "suite.json").is_file()
    )
    if not folders:
        raise CamobenchError(
            f"{name} is not in the store {store.root}: give --root DIR, your copy of its "
            f"photographs, or make it once with `camobench data prepare {name} --root DIR`"
        )
    if len(folders) > 1:
        raise CamobenchError(
            f"{len(folders)} suites called {name} are in the store, of different photographs "
            f"({', '.join(folder.name for folder in folders)}): say which with --root DIR (and "
            f"--partial), or remove all but one from {pattern.parent}"
        )
    return PreparedSource(open_suite(folders[0]))
