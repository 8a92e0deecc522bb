"""Batches: their range, order and size; what is held out."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlab.data.image_data import ImageData
from ganlab.data.kinds import IMAGES, TOY_MIXTURES
from ganlab.errors import UserError


def numbered(count):
    """Images whose every pixel is their own index."""
    images = np.arange(count, dtype=np.uint8)[:, None, None, None]
    images = np.broadcast_to(images, (count, 4, 4, 1))
    labels = np.arange(count, dtype=np.int32)
    return ImageData("numbered", images, labels, tuple("abc"), ())


def test_batches_scale_to_the_convention():
    images, labels = next(iter(numbered(10).batches(4)))
    assert images.dtype == tf.float32
    np.testing.assert_allclose(images[:, 0, 0, 0] * 127.5 + 127.5, labels, atol=1e-4)


def test_the_pipeline_leaves_autotuning_off():
    assert numbered(10).batches(4).options().autotune.enabled is False


def test_each_epoch_is_another_permutation():
    labels = [y.numpy() for _, y in numbered(10).batches(5, seed=1).take(4)]
    epochs = np.concatenate(labels[:2]), np.concatenate(labels[2:])
    for epoch in epochs:
        assert sorted(epoch) == list(range(10))
    assert epochs[0].tolist() != epochs[1].tolist()


@pytest.mark.e2e
@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    start=st.integers(0, 40),
    batch_size=st.integers(1, 10),
    flip=st.booleans(),
)
def test_order_is_a_function_of_seed_and_step(seed, start, batch_size, flip):
    images = np.arange(10 * 4, dtype=np.uint8).reshape(10, 2, 2, 1)
    source = ImageData("x", images, np.arange(10, dtype=np.int32), ("a",), ())
    options = {"seed": seed, "flip": flip}
    whole = list(source.batches(batch_size, **options).take(start + 3))
    resumed = source.batches(batch_size, start_step=start, **options).take(3)
    for (x, y), (again_x, again_y) in zip(whole[start:], resumed, strict=True):
        np.testing.assert_array_equal(x, again_x)
        np.testing.assert_array_equal(y, again_y)


def test_flip_mirrors_about_half_left_to_right():
    ramp = np.broadcast_to(np.arange(4, dtype=np.uint8)[:, None], (400, 4, 4, 1))
    source = ImageData("ramp", ramp, None, (), ())
    images = next(iter(source.batches(400, flip=True)))
    mirrored = (images[:, 0, 0, 0] > images[:, 0, -1, 0]).numpy()
    assert 0.4 < mirrored.mean() < 0.6


def test_batch_size_must_fit():
    with pytest.raises(UserError, match="1 to 10.*Received: 11"):
        numbered(10).batches(11)


def test_size_and_channels_are_those_of_the_kind():
    data = numbered(3)
    assert (data.kind, data.image_size, data.channels) == (IMAGES, 4, 1)
    toy = ImageData("ring", np.zeros((5, 2), np.float32), None, (), ())
    assert (toy.kind, toy.image_size, toy.channels) == (TOY_MIXTURES, None, None)


def test_few_images_are_not_split():
    data = numbered(200)
    assert data.split() == (data, None)


def test_a_split_holds_out_by_seed():
    images = np.arange(1000, dtype=np.float32)[:, None].repeat(2, axis=1)
    data = ImageData("x", images, np.arange(1000, dtype=np.int32), (), ())
    train, held_out = data.split(seed=1)
    assert (len(train), len(held_out)) == (950, 50)
    union = np.concatenate([train.indices, held_out.indices])
    assert sorted(union.tolist()) == list(range(1000))
    samples, labels = held_out.take(7)
    np.testing.assert_array_equal(labels, held_out.indices[:7])
    np.testing.assert_array_equal(samples, images[labels])
    again = data.split(seed=1)[1]
    np.testing.assert_array_equal(again.indices, held_out.indices)


def test_toy_samples_are_batched_as_they_are():
    samples = np.random.default_rng(0).normal(size=(8, 2)).astype(np.float32)
    data = ImageData("ring", samples, None, (), ())
    (batch,) = data.batches(8).take(1)
    np.testing.assert_array_equal(
        np.sort(batch.numpy(), axis=0), np.sort(samples, axis=0)
    )
    np.testing.assert_array_equal(data.take(8)[0].shape, (8, 2))


def test_the_summary_lists_ten_classes():
    labels = np.arange(1200, dtype=np.int32) % 12
    names = tuple("abcdefghijkl")
    data = ImageData("x", np.zeros((1200, 4, 4, 1), np.uint8), labels, names, ())
    counts = ", ".join(f"{name} 100" for name in "abcdefghij")
    images = "1,200 grey images of 4 x 4 pixels"
    assert data.summary() == f"x: {images}, classes {counts} and 2 more"
    toy = ImageData("ring", np.zeros((5, 2), np.float32), None, (), ())
    assert toy.summary() == "ring: 5 samples, no classes"


@pytest.mark.parametrize("seed", range(4))
def test_a_family_is_trained_on_or_held_out(seed):
    data = numbered(400)
    families = np.repeat(np.arange(100), 4) * 7  # families of 4
    families[:100] = 1  # and one that is larger than what is held out
    data = dataclasses.replace(data, families=families)
    train, held_out = data.split(seed)
    assert len(held_out) == 32
    assert sorted([*train.indices, *held_out.indices]) == list(range(400))
    assert not set(families[train.indices]) & set(families[held_out.indices])
    again, _ = data.split(seed)
    np.testing.assert_array_equal(again.indices, train.indices)
    other, _ = data.split(seed + 1)
    assert set(other.indices) != set(train.indices)


def test_one_family_is_not_split():
    data = dataclasses.replace(numbered(400), families=np.zeros(400, int))
    assert data.split() == (data, None)
