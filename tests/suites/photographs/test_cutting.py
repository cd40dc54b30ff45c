import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.suites.photographs.cutting import central_corner, most_tiles, tile_corners

SIZES = st.integers(64, 900)


@given(SIZES, SIZES, st.sampled_from([64, 80, 256]), st.integers(1, 90))
def test_tiles_keep_the_grid_and_do_not_overlap(width, height, side, count):
    side = min(side, width // 16 * 16, height // 16 * 16)
    corners = tile_corners(width, height, side, count)
    assert len(set(corners)) == min(count, most_tiles(width, height, side))
    used = np.zeros((height, width), np.uint8)
    for top, left in corners:
        assert top % 16 == left % 16 == 0
        used[top : top + side, left : left + side] += 1
    assert used.max() == 1
    assert used.sum() == len(corners) * side * side


def test_a_single_tile_is_central_and_four_are_spread():
    assert tile_corners(3008, 2000, 256, 1) == [(864, 1376)]
    assert tile_corners(3008, 2000, 256, 4) == [(368, 624), (368, 2128), (1360, 624), (1360, 2128)]


@given(SIZES, SIZES, st.integers(64, 300))
def test_a_central_crop_is_central_on_even_offsets(width, height, side):
    side = min(side, width, height)
    top, left = central_corner(width, height, side)
    for offset, length in ((left, width), (top, height)):
        assert offset % 2 == 0
        assert 0 <= offset <= length - side
        assert abs(offset - (length - side) / 2) < 2
