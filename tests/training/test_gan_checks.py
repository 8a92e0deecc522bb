"""Mistakes of a compiled GAN are found, and nothing else is reported."""

import keras
import numpy as np
import pytest
from keras import layers

from ganlab import GAN, UserError, networks
from ganlab.objectives import losses
from ganlab.training.gan_checks import check_gan


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


def gan_with(discriminator, generator=None, **compiled):
    """A GAN of a discriminator of one's own."""
    generator = generator or networks.dcgan_generator(16, latent_dim=8, base_filters=4)
    gan = GAN(generator, discriminator)
    adam = keras.optimizers.Adam
    gan.compile(adam(2e-4, beta_1=0.5), adam(2e-4, beta_1=0.5), **compiled)
    return gan


def ending_on(*end):
    return keras.Sequential([keras.Input((16, 16, 1)), *end])


def nested(network):
    inputs = keras.Input((16, 16, 1))
    return keras.Model(inputs, network(inputs))


class FreeForm(keras.Model):
    """A discriminator that no graph describes."""

    def __init__(self, activation):
        super().__init__()
        self.flatten = layers.Flatten()
        self.dense = layers.Dense(1)
        self.activation = keras.activations.get(activation)

    def call(self, inputs):
        return self.activation(self.dense(self.flatten(inputs)))


def sigmoid_of_operation():
    inputs = keras.Input((16, 16, 1))
    return keras.Model(
        inputs, keras.ops.sigmoid(layers.Dense(1)(layers.Flatten()(inputs)))
    )


SIGMOIDS = {
    "dense": lambda: ending_on(layers.Flatten(), layers.Dense(1, "sigmoid")),
    "nested": lambda: nested(SIGMOIDS["dense"]()),
    "nested twice": lambda: nested(nested(SIGMOIDS["dense"]())),
    "in a sequence": lambda: ending_on(SIGMOIDS["dense"]()),
    "activation": lambda: ending_on(
        layers.Flatten(), layers.Dense(1), layers.Activation("sigmoid")
    ),
    "then reshaped": lambda: ending_on(
        layers.Conv2D(1, 4, 4), layers.Activation("sigmoid"), layers.Flatten()
    ),
    "patches": lambda: ending_on(layers.Conv2D(1, 4, 4, activation="sigmoid")),
    "patches averaged": lambda: ending_on(
        layers.Conv2D(1, 4, 4, activation="sigmoid"), layers.GlobalAveragePooling2D()
    ),
    "an operation": sigmoid_of_operation,
}
LOGITS = {
    "dense": lambda: ending_on(layers.Flatten(), layers.Dense(1)),
    "nested": lambda: nested(LOGITS["dense"]()),
    "hidden sigmoid": lambda: ending_on(
        layers.Flatten(), layers.Dense(4, "sigmoid"), layers.Dense(1)
    ),
    "patches": lambda: ending_on(layers.Conv2D(1, 4, 4)),
    "all zero": lambda: ending_on(
        layers.Flatten(), layers.Dense(1, kernel_initializer="zeros")
    ),
}


@pytest.mark.filterwarnings("ignore:Expected raw logits")
@pytest.mark.parametrize("name", SIGMOIDS)
def test_double_sigmoid(batch, name):
    (problem,) = check_gan(gan_with(SIGMOIDS[name]()), batch)
    assert (problem.name, problem.severity) == ("double_sigmoid", "critical")
    assert "takes raw logits" in problem.says


@pytest.mark.parametrize("loss", ["least_squares", "mse"])
def test_a_sigmoid_is_right_where_logits_are_drawn_to_labels(batch, loss):
    assert check_gan(gan_with(SIGMOIDS["dense"](), loss=loss), batch) == []


@pytest.mark.parametrize("name", LOGITS)
def test_logits_are_no_double_sigmoid(batch, name):
    assert check_gan(gan_with(LOGITS[name]()), batch) == []


class Mixed(GAN):
    """Calls the discriminator on real and fake images at once, as many tutorials do."""

    def train_step(self, images):
        both = keras.ops.concatenate([images, keras.ops.zeros_like(images)])
        self.discriminator(both, training=True)
        return super().train_step(images)


@pytest.mark.e2e
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


@pytest.mark.e2e
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


@pytest.mark.e2e
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


@pytest.mark.e2e
def test_a_target_past_1_has_no_minimum(batch):
    assert "label_noise_past_1" in by_name(check_gan(gan_of(loss=NoisyLabels()), batch))
    for name in losses.LOSSES:
        problems = by_name(check_gan(gan_of(loss=name), batch))
        assert "label_noise_past_1" not in problems
        assert ("unbounded_critic" in problems) == (name == "wasserstein")


@pytest.mark.e2e
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


def test_networks_inside_networks_are_looked_into(batch):
    inner = ending_on(layers.Conv2D(4, 3), layers.BatchNormalization())
    discriminator = ending_on(inner, layers.Flatten(), layers.Dense(1))
    gan = gan_with(discriminator, regularizers="r1")
    assert "batch_norm_with_penalty" in by_name(check_gan(gan, batch))
    upsampling = keras.Sequential(
        [keras.Input((8, 8, 4)), layers.Conv2DTranspose(1, 3, 2, "same")]
    )
    generator = keras.Sequential(
        [keras.Input((8,)), layers.Dense(256), layers.Reshape((8, 8, 4)), upsampling]
    )
    gan = gan_with(LOGITS["dense"](), generator)
    assert "uneven_kernel" in by_name(check_gan(gan, batch))


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (lambda: layers.Dense(1), True),
        (lambda: layers.SpectralNormalization(layers.Dense(1)), False),
        (
            lambda: layers.Dense(1, kernel_constraint=keras.constraints.UnitNorm()),
            False,
        ),
    ],
)
def test_what_bounds_a_critic(batch, layer, expected):
    critic = ending_on(ending_on(layers.Flatten(), layer()))
    gan = gan_with(critic, loss="wasserstein")
    assert ("unbounded_critic" in by_name(check_gan(gan, batch))) == expected


def test_a_frozen_network(batch):
    gan = gan_of()
    gan.discriminator.trainable = False
    problems = by_name(check_gan(gan, batch))
    assert (
        "the discriminator has no trainable weights" in problems["frozen_network"].says
    )
    assert "unscaled_float16" not in problems


class Unusual(GAN):
    """A subclass that cannot be copied."""

    @classmethod
    def from_config(cls, config, custom_objects=None):
        raise RuntimeError("no\nway")


def test_a_subclass_that_cannot_be_copied_is_said(batch):
    gan = gan_of(None, {"normalization": "batch"}, cls=Unusual)
    (problem,) = check_gan(gan, batch)
    assert (problem.name, problem.severity) == ("untested_step", "note")
    assert "RuntimeError: no way" in problem.says


def test_float64(batch):
    keras.config.set_dtype_policy("float64")
    assert check_gan(gan_of(), batch.astype("float64")) == []


def test_optimizers_with_averages_are_sound(batch):
    adam = keras.optimizers.Adam
    optimizers = (adam(beta_1=0.5, use_ema=True), adam(beta_1=0.5, use_ema=True))
    assert check_gan(gan_of(optimizers=optimizers), batch) == []


def test_what_cannot_be_checked_is_refused(batch):
    bare = GAN(
        networks.dcgan_generator(16, latent_dim=8, base_filters=4), LOGITS["dense"]()
    )
    with pytest.raises(UserError, match="compiled ganlab.GAN. Received: one that is"):
        check_gan(bare, batch)
    with pytest.raises(UserError, match="Received: a Functional"):
        check_gan(bare.generator, batch)
