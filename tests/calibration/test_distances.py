from itertools import combinations

import numpy as np
import pytest

from bench.calibration.distances import measure_distances

TWINS = {("simcam-05", "simcam-06"), ("simcam-11", "simcam-12")}


@pytest.fixture(scope="module")
def found():
    return measure_distances(12)


def test_models_differ_as_real_makers_do(found):
    pairs = list(combinations(enumerate(found.cameras), 2))
    strangers = [(i, j) for (i, one), (j, other) in pairs if (one, other) not in TWINS]
    lpips = np.array([found.lpips[pair] for pair in strangers])
    assert len(strangers) == 64
    assert 0.018 < lpips.min() < lpips.max() < 0.062  # 0.02 to 0.06, but for the few scenes
    assert lpips.mean() < 0.045
    assert min(found.psnr_db[pair] for pair in strangers) > 33


def test_near_twins_differ_less(found):
    for one, other in TWINS:
        place = found.cameras.index(one), found.cameras.index(other)
        assert 0 < found.lpips[place] < 0.02
        assert 40 < found.psnr_db[place] < 60


def test_a_row_has_lpips_right_of_the_diagonal_and_psnr_left_of_it(found):
    rows = found.rows()
    assert [row["camera"] for row in rows] == list(found.cameras)
    assert float(rows[0]["02"]) == pytest.approx(found.lpips[0, 1], abs=6e-4)
    assert float(rows[1]["01"]) == pytest.approx(found.psnr_db[0, 1], abs=0.06)
