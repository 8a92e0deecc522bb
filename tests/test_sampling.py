"""Latents, labels and interpolation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlab import sampling
from ganlab.errors import UserError


@given(seed=st.integers(0, 2**40), count=st.integers(1, 20), more=st.integers(0, 20))
@settings(deadline=None)
def test_more_latents_begin_with_fewer(seed, count, more):
    shorter = sampling.draw_latents(count, 8, seed)
    longer = sampling.draw_latents(count + more, 8, seed)
    np.testing.assert_array_equal(shorter, longer[:count])
    assert shorter.dtype == np.float32


@given(seed=st.integers(0, 99), count=st.integers(1, 5))
@settings(deadline=None)
def test_latents_of_any_shape_are_the_same_numbers(seed, count):
    flat = sampling.draw_latents(count, 24, seed)
    shaped = sampling.draw_latents(count, (2, 3, 4), seed)
    np.testing.assert_array_equal(shaped, flat.reshape(count, 2, 3, 4))


def test_several_latents_are_cut_from_one():
    flat = np.arange(14.0).reshape(2, 7)
    vector, plane = sampling.split_latents(flat, [(3,), (2, 2)])
    assert vector.tolist() == [[0, 1, 2], [7, 8, 9]]
    assert plane.tolist() == [[[3, 4], [5, 6]], [[10, 11], [12, 13]]]
    again = sampling.split_latents([vector, plane], [(3,), (2, 2)])
    np.testing.assert_array_equal(again[1], plane)
    (only,) = sampling.split_latents(flat.reshape(2, 7, 1), [(7, 1)])
    assert (only.shape, only.dtype) == ((2, 7, 1), np.float32)


@pytest.mark.parametrize(
    "latents",
    [
        np.zeros((2, 6)),
        np.zeros((0, 7)),
        np.zeros(7),
        0.0,
        "x",
        None,
        [[1.0, 2.0], [3.0]],
        [np.zeros((2, 3)), np.zeros((1, 2, 2))],
        [],
    ],
)
def test_latents_of_another_shape_are_refused(latents):
    with pytest.raises(UserError, match=r"shape \(batch, 3\), \(batch, 2, 2\)"):
        sampling.split_latents(latents, [(3,), (2, 2)])


def test_latents_are_standard_normal_and_truncation_cuts_them():
    plain = sampling.draw_latents(2000, 16, seed=3)
    assert plain.mean() == pytest.approx(0.0, abs=0.02)
    assert plain.std() == pytest.approx(1.0, abs=0.02)
    cut = sampling.draw_latents(2000, 16, seed=3, truncation=1.0)
    assert np.abs(cut).max() <= 1.0
    # The variance of N(0, 1) cut at 1 is 1 - 2 phi(1) / (2 Phi(1) - 1) = 0.2911.
    assert cut.var() == pytest.approx(0.2911, abs=0.01)
    order = np.argsort(plain[:, 0])
    assert (np.diff(cut[order, 0]) >= 0).all()


@pytest.mark.parametrize("truncation", [0.0, -1.0, float("nan"), float("inf"), "1"])
def test_truncation_out_of_range(truncation):
    with pytest.raises(UserError, match="truncation above 0"):
        sampling.draw_latents(1, 1, truncation=truncation)


def test_interpolation_keeps_length_and_ends():
    start, end = np.array([[3.0, 0.0]]), np.array([[0.0, 3.0]])
    frames = sampling.interpolate_latents(start, end, 3)
    np.testing.assert_allclose(frames[0], start, atol=1e-6)
    np.testing.assert_allclose(frames[2], end, atol=1e-6)
    np.testing.assert_allclose(frames[1], [[4.5**0.5, 4.5**0.5]], atol=1e-6)
    same = sampling.interpolate_latents(start, start, 4)
    np.testing.assert_allclose(same, np.broadcast_to(start, (4, 1, 2)), atol=1e-5)


@pytest.mark.parametrize(
    ("count", "seed"),
    [(0, 0), (1, -1), (1.5, 0), ("4", 0), (1, 0.0), (1, None), (1, 2**63)],
)
def test_count_and_seed_out_of_range(count, seed):
    with pytest.raises(UserError, match="or more"):
        sampling.draw_latents(count, 1, seed)


@pytest.mark.parametrize("size", [0, -1, 2.5, "8", (3, 0), (3, None)])
def test_latents_of_no_size_are_refused(size):
    with pytest.raises(UserError, match="latents of 1 component or more. Received"):
        sampling.draw_latents(2, size)


def test_labels_take_each_class_in_turn_and_are_checked():
    assert sampling.class_labels(5, 3).tolist() == [0, 1, 2, 0, 1]
    assert sampling.class_labels(2, 3, [2, 0]).dtype == np.int32
    for wrong in (
        [0, 3],
        [0, -1],
        [0],
        1,
        [0.0, 1.0],
        ["0", "1"],
        [True, False],
        [[0], 1],
    ):
        with pytest.raises(UserError, match="2 labels from 0 to 2"):
            sampling.class_labels(2, 3, wrong)
    with pytest.raises(UserError, match=r"int64 labels of shape \(99,\) from 5 to 5"):
        sampling.class_labels(99, 3, np.full(99, 5))


def test_labels_are_refused_where_there_are_no_classes():
    assert sampling.optional_labels(2, None) is None
    assert sampling.given_labels(2, None, None) is None
    assert sampling.optional_labels(2, 3).tolist() == [0, 1]
    with pytest.raises(UserError, match=r"2 labels from 0 to 2.*Received: none"):
        sampling.given_labels(2, 3, None)
    with pytest.raises(UserError, match="takes noise alone. Received: 2"):
        sampling.optional_labels(2, 0, [0, 1])


def test_inputs_of_a_seed_are_its_latents_and_each_class_in_turn():
    first, second, labels = sampling.draw_inputs(5, [(2,), (2, 3)], 3, seed=4)
    flat = sampling.draw_latents(5, 8, seed=4)
    np.testing.assert_array_equal(first, flat[:, :2])
    np.testing.assert_array_equal(second, flat[:, 2:].reshape(5, 2, 3))
    np.testing.assert_array_equal(labels, [0, 1, 2, 0, 1])
    (alone,) = sampling.draw_inputs(5, [(8,)], None, seed=4)
    np.testing.assert_array_equal(alone, flat)


@pytest.mark.parametrize(
    ("block", "seed", "row", "values"),
    [
        (0, 0, 0, [0.05991104, 0.01555963]),
        (3, 7, 63, [0.5426226, 0.16977091]),
        (2**40, 2**62, 5, [1.8229005, -0.8208015]),
    ],
    ids=["first", "another", "far"],
)
def test_noise_by_counter_is_what_it_was_on_the_first_day(block, seed, row, values):
    drawn = sampling.draw_block(block, 2, seed)
    assert (drawn.shape, drawn.dtype) == ((64, 2), np.float32)
    np.testing.assert_allclose(drawn[row], values, rtol=1e-6)


def test_noise_by_counter_is_standard_normal():
    drawn = np.concatenate([sampling.draw_block(block, 64, 3) for block in range(50)])
    assert abs(drawn.mean()) < 0.01
    assert abs(drawn.std() - 1) < 0.01
    for other in (sampling.draw_block(0, 64, 4), sampling.draw_latents(64, 64, 3)):
        assert abs(np.corrcoef(drawn[:64].ravel(), other.ravel())[0, 1]) < 0.05
    cut = sampling.draw_block(0, 64, 3, truncation=0.5)
    assert 0.45 < np.abs(cut).max() <= 0.5


@pytest.mark.parametrize("count", [10**13, 10**17])
def test_samples_beyond_memory_are_refused(count):
    with pytest.raises(UserError, match="fewer at a time"):
        sampling.draw_latents(count, 64)
