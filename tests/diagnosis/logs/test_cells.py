"""Cells are numbers in whatever form a trainer wrote them."""

import numpy as np
import pytest

from ganlab.diagnosis.logs import cells


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.5", 1.5),
        ("1,000", 1000.0),
        ("1,234,567.5", 1234567.5),
        ("tensor(1.30, device='cuda:0')", 1.3),
        ("tensor([-1.3e-2], grad_fn=<AddBackward0>)", -0.013),
        ("np.float32(0.25)", 0.25),
        ("[0.5]", 0.5),
        ("<tf.Tensor: shape=(), dtype=float32, numpy=1.25>", 1.25),
        ("'2'", 2.0),
        ("1,2,3", None),
        ("2024-01-01", None),
        ("high", None),
    ],
)
def test_a_number_is_found_in_its_wrapping(text, number):
    assert cells.parse(text) == number


def test_not_a_number_is_one_and_a_missing_one_is_none():
    assert np.isnan(cells.parse("nan"))
    assert np.isnan(cells.parse("tensor(nan, device='cuda:0')"))
    column = cells.as_column(["1", "None", "", "x", "inf", "NA"])
    assert column.rows.tolist() == [0, 4]
    assert column.values.tolist() == [1.0, np.inf]
    assert column.unread == 1


def test_a_comma_is_the_decimal_point_only_where_it_can_be_nothing_else():
    assert cells.as_column(["1,250", "0,75"], ";").values.tolist() == [1.25, 0.75]
    assert cells.as_column(["1,250", "2,000"], ";").values.tolist() == [1250, 2000]
    assert cells.as_column(["1,250", "7"], ",").values.tolist() == [1250, 7]


def test_a_cell_that_is_no_number_is_told_at_once():
    for text in ("[" + "1" * 100_000 + "x", "1," * 50_000, "<" + "numpy=1" * 9000):
        assert cells.parse(text) is None
