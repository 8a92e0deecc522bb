"""The batch of the first step that was not finite is kept, and where it began."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab.runs import RunFolder
from ganlab.training.black_box import BlackBox

IMAGES = np.random.default_rng(0).uniform(-1, 1, (5, 8, 16, 16, 1)).astype("float32")
IMAGES[3, 2, 5] = np.nan  # of the fourth step


def batches(start_step=0):
    labels = np.tile(np.arange(8, dtype="int32") % 3, (5, 1))
    both = tf.data.Dataset.from_tensor_slices((IMAGES, labels))
    return both.skip(start_step)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("checkpoint", "skips"), [(None, False), (2, False), (2, True)]
)
def test_the_step_is_kept_and_gone_through_again(make_gan, tmp_path, checkpoint, skips):
    folder = RunFolder(tmp_path)

    def build():
        keras.utils.set_random_seed(0)
        return make_gan(3, skip_non_finite=skips)

    gan = build()
    gan.make_train_function()
    iterator = iter(batches())
    for step in range(1, 5):
        if step == 4:
            before = gan.get_weights()
            latents = gan.training_latents(8)
        gan.train_function(iterator)
        if step == checkpoint:
            folder.save_checkpoint(gan.save, step)
    black_box = BlackBox(folder, batches, build)
    assert black_box(gan, 4, "d_loss") == "images"
    assert int(gan.step.numpy()) == 4
    gan.step.assign(3)
    for weight, expected in zip(gan.get_weights(), before, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-3, atol=1e-5)
    with np.load(folder.black_box, allow_pickle=False) as arrays:
        assert int(arrays["step"]) == 4
        assert str(arrays["loss"]) == "d_loss"
        assert str(arrays["tensor"]) == "images"
        np.testing.assert_array_equal(arrays["images"], IMAGES[3])
        np.testing.assert_array_equal(arrays["labels"], np.arange(8) % 3)
        np.testing.assert_array_equal(arrays["latents"], latents[None])
    if skips:
        gan.step.assign(4)
        assert black_box(gan, 5, "d_loss") is None  # that step is finite
        with np.load(folder.black_box, allow_pickle=False) as arrays:
            assert int(arrays["step"]) == 4
