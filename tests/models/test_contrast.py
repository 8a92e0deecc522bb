"""Does the contrastive loss equal its formula?"""

import numpy as np
import tensorflow as tf

from ganlab.models.contrast import TEMPERATURE, PatchContrast

SEED = tf.constant([1, 2], "int64")


def test_equals_a_softmax_over_places():
    contrast = PatchContrast([3])
    numbers = np.random.default_rng(0)
    made, source = (numbers.normal(size=(2, 2, 3, 3)).astype("float32") for _ in "ab")
    loss = float(contrast([tf.constant(made)], [tf.constant(source)], SEED))
    head = contrast.heads[0]
    queries, keys = (head(x.reshape(2, 6, 3)).numpy() for x in (made, source))
    queries, keys = (
        x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (queries, keys)
    )
    logits = queries @ keys.transpose(0, 2, 1) / TEMPERATURE
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = -np.log(np.diagonal(shares, axis1=1, axis2=2)).mean()
    np.testing.assert_allclose(loss, expected, rtol=1e-4)


def test_equal_maps_lose_less_than_others():
    contrast = PatchContrast([4])
    numbers = np.random.default_rng(0)
    maps = [tf.constant(numbers.normal(size=(2, 4, 4, 4)), "float32") for _ in "ab"]
    assert contrast(maps[:1], maps[:1], SEED) < contrast(maps[:1], maps[1:], SEED)


def test_no_gradient_passes_through_the_source():
    contrast = PatchContrast([4])
    maps = [
        tf.Variable(np.random.default_rng(n).normal(size=(1, 4, 4, 4))) for n in (0, 1)
    ]
    with tf.GradientTape() as tape:
        loss = contrast([maps[0]], [maps[1]], SEED)
    of_made, of_source = tape.gradient(loss, maps)
    assert of_source is None
    assert np.abs(of_made).max() > 0.0
