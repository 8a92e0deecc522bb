"""Steps go on where they start anew, are whole, and are rows where there are none."""

import numpy as np
import pytest

from ganlab.diagnosis.logs.steps import as_reading, elapsed, make_series
from ganlab.diagnosis.logs.table import Column, Table


def read_steps(**columns):
    chosen = columns.pop("chosen", {})
    length = len(next(iter(columns.values())))
    table = {
        name: Column(np.arange(length), np.array(values, float))
        for name, values in columns.items()
    }
    if "loss" not in table:
        table["loss"] = Column(np.arange(length), np.arange(length, dtype=float))
    reading = as_reading(Table(table, length), chosen)
    return reading.series["loss"].steps.tolist(), " ".join(reading.notes)


@pytest.mark.parametrize(
    ("given", "expected", "note"),
    [
        ([0, 10, 20], [0, 10, 20], ""),
        ([0, 10, 0, 10, 0, 10], [0, 10, 20, 30, 40, 50], "start anew 2 times"),
        ([0, 100, 200, 62, 162], [0, 100, 200, 300, 400], "start anew once"),
        ([30, 20, 10], [10, 20, 30], ""),
        ([0, 10, 20, 30, 20, 30, 40], [0, 10, 20, 30, 40], ""),  # resumed at 20
        ([0.05, 0.1, 0.15], [5, 10, 15], "counted in 0.01"),
        ([0.0, -1.0, np.nan, 5.0], [0, 5], "2 rows without a whole step"),
    ],
)
def test_steps_are_whole_and_go_on(given, expected, note):
    steps, notes = read_steps(step=given)
    assert steps == expected
    assert note in notes
    assert bool(note) == bool(notes)


def test_epochs_images_and_rows_are_counted_and_named():
    assert read_steps(epoch=[0, 1, 2]) == ([0, 1, 2], "steps are counted in epochs")
    images = {"Progress/kimg": [0.5, 4.0], "Progress/tick": [0, 1]}
    assert read_steps(**images) == ([500, 4000], "steps are counted in images")
    steps, notes = read_steps(loss=[0.1, 0.2])
    assert steps == [1, 2]
    assert "rows are counted instead" in notes
    assert read_steps(iter=[5, 6], n=[1, 2], chosen={"step": "n"})[0] == [1, 2]


def test_of_one_step_the_last_row_counts():
    series = make_series(np.array([2, 1, 2]), np.array([1.0, 2.0, np.inf]))
    assert series.steps.tolist() == [1, 2]
    np.testing.assert_array_equal(series.values, [2.0, np.nan])


def test_dates_become_seconds_since_the_first():
    date = make_series(np.arange(2), np.array([1.7e9, 1.7e9 + 60]))
    assert elapsed(date).values.tolist() == [0, 60]
    assert elapsed(make_series(np.arange(2), np.array([3.0, 1.0]))) is None
