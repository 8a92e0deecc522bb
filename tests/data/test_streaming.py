"""Streamed images are those that decoding once gives, in the same order."""

import logging

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganlab.data.loading import load_data
from ganlab.data.streaming import StreamedImages
from ganlab.errors import UserError


@pytest.fixture
def pictures(tmp_path):
    """Two classes of 20 pictures of noise."""
    random = np.random.default_rng(0)
    for index in range(40):
        path = tmp_path / "ab"[index % 2] / f"{index:02d}.png"
        path.parent.mkdir(exist_ok=True)
        pixels = random.integers(0, 256, (12, 16, 3), np.uint8)
        Image.fromarray(pixels).save(path)
    return tmp_path


def batches(data, start, count):
    dataset = data.batches(8, seed=3, start_step=start, flip=True)
    return [[part.numpy() for part in batch] for batch in dataset.take(count)]


def test_streamed_batches_are_those_of_memory_wherever_they_begin(pictures):
    spec, options = f"folder:{pictures}", {"image_size": (8, 10)}
    memory = load_data(spec, **options)
    stream = load_data(spec, cache="stream", **options)
    assert isinstance(stream.images, StreamedImages)
    assert stream.sample_shape == memory.sample_shape == (8, 10, 3)
    expected = batches(memory, 0, 12)
    for start in (0, 4, 7):  # in the first epoch of 5 steps, and in the second
        for batch, other in zip(
            batches(stream, start, 5), expected[start:], strict=False
        ):
            np.testing.assert_array_equal(batch[0], other[0])
            np.testing.assert_array_equal(batch[1], other[1])
    train, held_out = stream.split()
    assert (len(train), held_out) == (40, None)
    np.testing.assert_array_equal(stream.take(4)[0], memory.take(4)[0])


def test_streamed_images_are_read_as_arrays_are(pictures):
    spec = f"folder:{pictures}"
    memory = load_data(spec, image_size=8).images
    stream = load_data(spec, image_size=8, cache="stream").images
    assert (stream.shape, stream.dtype, len(stream)) == (memory.shape, np.uint8, 40)
    for key in (3, -1, slice(5, 9), np.array([7, 0, 7]), np.arange(40) % 2 == 1):
        np.testing.assert_array_equal(stream[key], memory[key])
    np.testing.assert_array_equal(np.asarray(stream), memory)
    assert stream.seconds > 0


def test_what_is_larger_than_the_bound_streams_and_says_so(pictures, caplog):
    size = 40 * 8 * 8 * 3 / 1e9
    held = load_data(f"folder:{pictures}", image_size=8, max_memory=1.01 * size)
    assert isinstance(held.images, np.ndarray)
    assert caplog.text == ""
    stream = load_data(f"folder:{pictures}", image_size=8, max_memory=0.9 * size)
    assert isinstance(stream.images, StreamedImages)
    assert "streamed from disk, for 0.0 GB decoded are more than" in caplog.text


def test_the_next_picture_stands_in_for_one_that_cannot_be_read(pictures, caplog):
    (pictures / "a" / "38.png").write_bytes(b"broken")  # the last of its class
    data = load_data(f"folder:{pictures}", image_size=8, cache="stream")
    whole = data.images[np.arange(19)]
    assert whole.shape == (19, 8, 8, 3)
    images, used = data.images.read(np.array([19, 18, 19]))
    assert used.tolist() == [20, 18, 20]
    np.testing.assert_array_equal(images[0], data.images[20])
    assert caplog.text.count("38.png cannot be read: of no format that is read") == 1
    labels = np.concatenate([labels for _, labels in batches(data, 0, 5)])
    assert np.bincount(labels).tolist() == [19, 21]


def test_nothing_that_can_be_read_is_one_line():
    items = [(f"{index}.png", b"broken") for index in range(100)]
    images = StreamedImages(items, (8, 8, 3), "white")
    with pytest.raises(UserError, match=r"100 in a row that cannot, the first 5\.png"):
        images[5]


def test_data_that_comes_in_order_alone_is_not_streamed(monkeypatch):
    from ganlab.data import loading
    from ganlab.data.source import Source

    items = (item for item in [("a", np.zeros((8, 8, 1), np.uint8))])
    source = Source(items, 1, None, (), (8, 8, 1), "x")
    monkeypatch.setattr(loading, "open_source", lambda spec: source)
    with pytest.raises(UserError, match="read in any order.*--cache disk"):
        load_data("tfds:x", cache="stream")
    assert isinstance(load_data("tfds:x", max_memory=1e-9).images, np.ndarray)


def test_a_network_trains_on_a_stream(pictures):
    data = load_data(f"folder:{pictures}", image_size=8, cache="stream")
    images, labels = next(iter(data.batches(8)))
    assert (images.shape, images.dtype) == ((8, 8, 8, 3), tf.float32)
    assert labels.shape == (8,)
    assert logging.getLogger("ganlab").name == "ganlab"
