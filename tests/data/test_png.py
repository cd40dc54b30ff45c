"""Whatever happens to the bytes of a PNG, it is refused or its pixels are those it was made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data import ImageError, decode_rgb
from tests.toys import encoded

PIXELS = np.random.default_rng(2).integers(0, 256, (24, 20, 3), np.uint8)
DATA = encoded(PIXELS, "PNG")
PLACE = st.integers(0, len(DATA) - 1)


def refused(data):
    with pytest.raises(ImageError, match=r"photo: .*; \w+"):
        decode_rgb(data, "photo")


@given(PLACE, st.integers(1, 255))
def test_a_changed_byte_is_noticed(at, change):
    refused(DATA[:at] + bytes([DATA[at] ^ change]) + DATA[at + 1 :])


@given(PLACE, st.integers(1, 2000))
def test_a_stretch_that_is_cut_out_is_noticed(at, length):
    refused(DATA[:at] + DATA[at + length :])


@given(PLACE, st.binary(min_size=1, max_size=64))
def test_bytes_that_are_put_in_are_noticed(at, more):
    refused(DATA[:at] + more + DATA[at:])


@given(st.binary(max_size=64))
def test_what_follows_the_end_does_not_matter(more):
    np.testing.assert_array_equal(decode_rgb(DATA + more, "photo"), PIXELS.transpose(2, 0, 1))
