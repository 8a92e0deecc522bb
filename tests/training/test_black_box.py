"""The batch of the first step that was not finite is kept."""

import numpy as np
import tensorflow as tf

from ganlab.callbacks.training_metrics import NonFiniteError
from ganlab.runs import RunFolder
from ganlab.training.black_box import write_black_box


def test_the_batch_and_the_latents_of_the_step_are_kept(make_gan, tmp_path):
    gan = make_gan(3)
    gan.step.assign(6)
    latents = gan.training_latents(8)
    gan.step.assign(7)
    images = np.random.default_rng(0).uniform(-1, 1, (16, 16, 16, 1)).astype("float32")
    labels = (np.arange(16) % 3).astype("int32")
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(8)
    error = NonFiniteError(7, "d_loss", float("nan"), "discriminator/logits/kernel")
    assert "d_loss was nan at step 7, first in discriminator/logits" in str(error)
    write_black_box(RunFolder(tmp_path), gan, error, batches)
    assert int(gan.step.numpy()) == 7
    with np.load(tmp_path / "black_box.npz", allow_pickle=False) as arrays:
        assert int(arrays["step"]) == 7
        assert str(arrays["loss"]) == "d_loss"
        assert str(arrays["tensor"]) == "discriminator/logits/kernel"
        np.testing.assert_array_equal(arrays["images"], images[:8])
        np.testing.assert_array_equal(arrays["labels"], labels[:8])
        np.testing.assert_array_equal(arrays["latents"], latents[None])
