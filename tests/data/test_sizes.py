"""Sizes of images: squares, and height and width."""

import numpy as np
import pytest

from ganlab.data.sizes import sides, size_of
from ganlab.errors import UserError


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(0, id="zero"),
        pytest.param(-4, id="negative"),
        pytest.param("48x0", id="no_width"),
        pytest.param("48x48x3", id="three"),
        pytest.param("48*96", id="star"),
        pytest.param("big", id="word"),
        pytest.param((1, 2, 3), id="triple"),
        pytest.param((48, 9.5), id="float"),
        pytest.param(None, id="none"),
    ],
)
def test_what_is_no_size_is_one_clear_line(size):
    with pytest.raises(UserError, match="height and width as 48x96. Received: "):
        sides(size)


def test_heights_come_first():
    assert sides(np.int64(32)) == (32, 32)
    assert sides(" 48 x 96 ") == (48, 96)
    assert [size_of(*sides(size)) for size in ("64x64", (32, 64))] == [64, "32x64"]
