import sys
from pathlib import Path

import numpy as np
import pytest

from bench.suites.mapped import forget_pages


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_pages_that_were_read_are_given_back(tmp_path):
    np.save(tmp_path / "images.npy", np.full((64, 3, 512, 512), 7, np.uint8))
    images = np.load(tmp_path / "images.npy", mmap_mode="c")
    before = resident_bytes()
    assert images.sum(dtype=np.int64) == 7 * images.size
    read = resident_bytes() - before
    assert read > 0.8 * images.nbytes
    forget_pages(images)
    assert resident_bytes() - before < 0.2 * images.nbytes
    assert (images[::9] == 7).all()
