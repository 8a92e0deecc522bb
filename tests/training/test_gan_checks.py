"""Mistakes of a compiled GAN are found, and nothing else is reported."""

import keras
import numpy as np
import pytest
from keras import layers

from ganlab import GAN, networks
from ganlab.objectives import losses
from ganlab.training.gan_checks import Problem, check_gan, worst_first


def by_name(problems):
    return {problem.name: problem for problem in problems}


@pytest.fixture
def batch():
    return np.random.default_rng(0).uniform(-1, 1, (8, 16, 16, 1)).astype("float32")


def gan_of(generator=None, discriminator=None, optimizers=None, cls=GAN, **compiled):
    options = {"latent_dim": 8, "base_filters": 4}
    gan = cls(
        networks.dcgan_generator(16, **options, **(generator or {})),
        networks.dcgan_discriminator(16, base_filters=4, **(discriminator or {})),
    )
    adam = keras.optimizers.Adam
    gan.compile(
        *(optimizers or (adam(2e-4, beta_1=0.5), adam(2e-4, beta_1=0.5))), **compiled
    )
    return gan


def test_a_sound_gan_has_no_problem(batch):
    gan = gan_of()
    before = [weight.numpy().copy() for weight in gan.weights]
    assert check_gan(gan, batch) == []
    for old, new in zip(before, gan.weights, strict=True):
        np.testing.assert_array_equal(old, new.numpy())


@pytest.mark.parametrize(
    ("scale", "shift", "output", "expected"),
    [
        (1.0, 0.0, "tanh", False),
        (1.0, 0.0, "sigmoid", True),
        (0.5, 0.5, "tanh", True),
        (0.5, 0.5, "sigmoid", False),
        (127.5, 127.5, "tanh", True),
    ],
)
def test_data_range_against_the_output(batch, scale, shift, output, expected):
    gan = gan_of({"output_activation": output})
    problems = by_name(check_gan(gan, batch * scale + shift))
    assert ("data_range_mismatch" in problems) == expected


def test_double_sigmoid(batch):
    discriminator = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    gan = GAN(networks.dcgan_generator(16, latent_dim=8, base_filters=4), discriminator)
    gan.compile(keras.optimizers.Adam(beta_1=0.5), keras.optimizers.Adam(beta_1=0.5))
    (problem,) = check_gan(gan, batch)
    assert (problem.name, problem.severity) == ("double_sigmoid", "critical")
    assert "takes raw logits" in problem.says


class Mixed(GAN):
    """Calls the discriminator on real and fake images at once, as many tutorials do."""

    def train_step(self, images):
        both = keras.ops.concatenate([images, keras.ops.zeros_like(images)])
        self.discriminator(both, training=True)
        return super().train_step(images)


@pytest.mark.parametrize(
    ("normalization", "expected"), [("batch", True), ("none", False)]
)
def test_mixed_batch_norm_of_a_subclass(batch, normalization, expected):
    gan = gan_of(None, {"normalization": normalization}, cls=Mixed)
    before = [weight.numpy().copy() for weight in gan.weights]
    assert ("mixed_batch_norm" in by_name(check_gan(gan, batch))) == expected
    for old, new in zip(before, gan.weights, strict=True):
        np.testing.assert_array_equal(old, new.numpy())
    sound = gan_of(None, {"normalization": "batch"})
    assert "mixed_batch_norm" not in by_name(check_gan(sound, batch))


def test_batch_norm_with_a_penalty(batch):
    gan = gan_of(None, {"normalization": "batch"}, regularizers="r1")
    assert "batch_norm_with_penalty" in by_name(check_gan(gan, batch))
    for regularizers in ("lecam", "weight_clipping"):
        gan = gan_of(None, {"normalization": "batch"}, regularizers=regularizers)
        assert "batch_norm_with_penalty" not in by_name(check_gan(gan, batch))


def test_unscaled_float16(batch):
    keras.config.set_dtype_policy("mixed_float16")
    assert check_gan(gan_of(), batch) == []
    problems = by_name(check_gan(gan_of(loss_scaling=False), batch))
    assert problems["unscaled_float16"].changes == {"loss_scaling": True}


@pytest.mark.parametrize(("kernel", "expected"), [(3, True), (4, False), (5, True)])
def test_uneven_kernels(batch, kernel, expected):
    gan = gan_of({"kernel_size": kernel})
    assert ("uneven_kernel" in by_name(check_gan(gan, batch))) == expected
    gan = gan_of({"kernel_size": kernel, "upsampling": "nearest"})
    assert "uneven_kernel" not in by_name(check_gan(gan, batch))


class NoisyLabels(losses.NonSaturating):
    """Asks for 1.1 on real images."""

    def discriminator(self, real_logits, fake_logits):
        on_real = 1.1 * keras.ops.softplus(-real_logits)
        on_real -= 0.1 * keras.ops.softplus(real_logits)
        return keras.ops.mean(on_real) + keras.ops.mean(keras.ops.softplus(fake_logits))


def test_a_target_past_1_has_no_minimum(batch):
    assert "label_noise_past_1" in by_name(check_gan(gan_of(loss=NoisyLabels()), batch))
    for name in losses.LOSSES:
        problems = by_name(check_gan(gan_of(loss=name), batch))
        assert "label_noise_past_1" not in problems
        assert ("unbounded_critic" in problems) == (name == "wasserstein")


@pytest.mark.parametrize("held", ["gradient_penalty", "weight_clipping"])
def test_a_critic_that_is_held(batch, held):
    gan = gan_of(loss="wasserstein", regularizers=held)
    assert check_gan(gan, batch) == []
    gan = gan_of(None, {"spectral_norm": True}, loss="wasserstein")
    assert check_gan(gan, batch) == []


def test_optimizers(batch):
    adam = keras.optimizers.Adam
    gan = gan_of(optimizers=(adam(1e-4), adam(2e-3, beta_1=0.5)))
    problems = by_name(check_gan(gan, batch))
    assert set(problems) == {"high_beta_1", "rates_far_apart"}
    assert "differ 20 times" in problems["rates_far_apart"].says


def test_problems_are_sorted_by_severity():
    note, critical = (Problem(name, name, "", "") for name in ("note", "critical"))
    assert worst_first([note, None, critical]) == [critical, note]
    assert critical.as_dict()["changes"] == {}
