"""Blocks of rows are one column, and files of one run one log."""

import numpy as np

from ganlab.diagnosis import Series
from ganlab.diagnosis.logs.table import Column, Reading, combine, join


def test_blocks_are_joined_in_order():
    first = Column(np.array([0, 2]), np.array([1.0, 2.0]), unread=1)
    second = Column(np.array([1]), np.array([3.0]), unread=2).shifted(3)
    whole = join([first, second])
    assert whole.rows.tolist() == [0, 2, 4]
    assert whole.values.tolist() == [1.0, 2.0, 3.0]
    assert whole.unread == 3


def test_files_of_one_run_are_one_log():
    losses, score = (Series(np.arange(n), np.ones(n)) for n in (3, 2))
    first = Reading({"d_loss": losses}, losses, 3, 1, ["a"])
    whole = combine([first, Reading({"fid": score}, None, 2, 0, ["a", "b"])])
    assert whole.series == {"d_loss": losses, "fid": score}
    assert whole.seconds is losses
    assert (whole.rows, whole.unread, whole.notes) == (5, 1, ["a", "b"])
