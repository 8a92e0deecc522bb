"""A checkpoint becomes the GAN that it was saved from."""

import numpy as np

from ganlab.models.saving import load_gan


def test_a_checkpoint_is_loaded_compiled(make_gan, images, tmp_path):
    gan = make_gan()
    gan.train_on_batch(images[0])
    gan.save(tmp_path / "step-0000001.keras")
    loaded = load_gan(tmp_path / "step-0000001.keras")
    assert loaded.step == 1
    assert loaded.generator_optimizer.iterations == 1
    np.testing.assert_array_equal(loaded.sample(4), gan.sample(4))
