"""Decoding into an array: what cannot be read makes room, and is said."""

import numpy as np
import pytest

from ganlab.data.filling import fill
from ganlab.data.source import Source
from ganlab.errors import UserError


def source_of(items):
    labels = np.arange(len(items), dtype=np.int32)
    return Source(items, len(items), labels, (), None, "test")


def test_images_move_up_where_one_cannot_be_read():
    items = [(f"{k}.png", np.full((4, 4), 10 * k, np.uint8)) for k in range(4)]
    items[1] = ("1.png", b"no picture")
    target, progress = np.zeros((4, 4, 4, 1), np.uint8), []
    filled = fill(target, source_of(items), "white", lambda *at: progress.append(at))
    assert filled.images[:, 0, 0, 0].tolist() == [0, 20, 30]
    assert filled.labels.tolist() == [0, 2, 3]
    assert filled.skipped == ["1.png"]
    assert filled.notes == ["1 image left out (1 of no format that is read: 1.png)"]
    assert progress == [(4, 4)]


def test_nothing_that_can_be_read_is_an_error():
    with pytest.raises(UserError, match=r"1 that cannot, the first a.png \(of no"):
        fill(
            np.zeros((1, 4, 4, 1), np.uint8), source_of([("a.png", b"x")]), "red", None
        )
