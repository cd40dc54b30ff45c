import sys
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import pytest

from bench.perf.workbench import NoiseSource
from bench.store import Store
from bench.suites.audit.copies import look
from bench.suites.base import prepare
from bench.types import Silent
from tests.perf.test_session import LOAD


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


class Alike(NoiseSource):
    """One image again and again, which costs no time and no memory to make."""

    def count(self, set_name):
        return self.load.images if set_name == "C" else 1

    def rows(self, set_name, workers, start=0):
        row, pixels = next(super().rows(set_name, workers))
        yield from repeat((row, pixels), self.count(set_name) - start)


class Watch(Silent):
    """The most memory that was held whenever there was something to report."""

    def __init__(self):
        self.before = self.most = resident_bytes()

    def advance(self, units=1, **figures):
        self.most = max(self.most, resident_bytes())


def test_making_and_auditing_a_suite_holds_few_of_its_images(tmp_path):
    source, store = Alike(replace(LOAD, image_px=512, images=256)), Store(tmp_path)
    prepare(source, store, ("A", "B"))
    watch = Watch()
    suite = prepare(source, store, ("C",), progress=watch)
    size = suite.images("C").nbytes
    assert watch.most - watch.before < 0.3 * size
    watch = Watch()
    look(suite, watch)
    assert watch.most - watch.before < 0.2 * size
