"""Presets build, train a step, state their result, and compose with other settings."""

import numpy as np
import pytest

from ganlab.config.presets import PRESETS, get_preset
from ganlab.config.resolve import complete
from ganlab.errors import UserError


@pytest.mark.e2e
@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_builds_says_its_result_and_trains_a_step(name):
    from ganlab.training.build import build_gan

    preset = get_preset(name)
    assert preset.preset == name
    assert get_preset(name.replace("-", "_")) == preset
    doc = PRESETS[name].__doc__
    assert "arxiv.org" in doc
    assert "on 2 cores" in doc
    recipe = complete(preset.replace(batch_size=2, augmentation="ada"), 28, 1)
    gan = build_gan(recipe, 3)
    gan.run_eagerly = True
    count = 2 * recipe.discriminator_steps
    images = np.random.default_rng(0).uniform(-1, 1, (count, 28, 28, 1))
    logs = gan.train_on_batch(
        images.astype("float32"), np.arange(count) % 3, return_dict=True
    )
    assert all(np.isfinite(value) for value in logs.values())


@pytest.mark.e2e
def test_a_preset_composes_with_anything_else():
    from ganlab.training.build import build_gan

    composed = get_preset("sngan").replace(
        loss="relativistic",
        regularizer="r1+r2",
        regularizer_weight=2.0,
        final_weight_share=0.5,
        instance_noise=0.1,
        gradient_clip=1.0,
        attention=True,
        minibatch_stddev=True,
        generator_filters=8,
        discriminator_filters=8,
    )
    gan = build_gan(complete(composed, 16, 3), None)
    assert type(gan.objective.loss).__name__ == "Relativistic"
    halved = gan.regularizers[1].weight_at(composed.steps)
    assert float(halved) == pytest.approx(1.0)
    assert float(gan.objective.instance_noise(composed.steps)) == 0.0
    assert gan.generator_optimizer.global_clipnorm == 1.0
    names = {type(layer).__name__ for layer in gan.discriminator.layers}
    assert {"SpectralNormalization", "SelfAttention", "MinibatchStdDev"} <= names


def test_an_unknown_preset_lists_the_known():
    with pytest.raises(UserError, match="dcgan, wgan-gp, sngan, r3gan, small-data"):
        get_preset("biggan")
