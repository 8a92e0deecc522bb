"""Packing, and whether two networks fit together."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganlab import GAN, networks
from ganlab.errors import UserError
from ganlab.models import forward


@pytest.mark.e2e
def test_packing_joins_samples_along_channels(images):
    generator = networks.dcgan_generator(16, latent_dim=8, base_filters=4)
    discriminator = networks.dcgan_discriminator(16, base_filters=4, packing=2)
    gan = GAN(generator, discriminator, packing=2)
    gan.compile("adam", "adam", regularizers="r1")
    pixels = images[0]
    packed = forward.pack(tf.constant(pixels), 2).numpy()
    assert packed.shape == (8, 16, 16, 2)
    np.testing.assert_array_equal(packed[3, ..., 1], pixels[11, ..., 0])
    logs = gan.train_on_batch(pixels, return_dict=True)
    assert np.isfinite(logs["d_loss"])
    assert gan.sample(3).shape == (3, 16, 16, 1)
    with pytest.raises(UserError, match="multiple of packing=2"):
        forward.pack(tf.constant(pixels[:7]), 2)


def test_a_subclassed_network_trains_once_it_is_wrapped(images):
    @keras.saving.register_keras_serializable(package="test")
    class Sharpener(keras.Model):
        def __init__(self, **options):
            super().__init__(**options)
            self.dense = keras.layers.Dense(256, activation="tanh")

        def call(self, latents):
            return keras.ops.reshape(self.dense(latents), (-1, 16, 16, 1))

    discriminator = networks.dcgan_discriminator(16, base_filters=2)
    with pytest.raises(
        UserError, match=r"Sharpener that was never called.*call it once"
    ):
        GAN(Sharpener(), discriminator)
    latents = keras.Input((8,))
    gan = GAN(keras.Model(latents, Sharpener()(latents)), discriminator)
    gan.compile("adam", "adam")
    gan.fit(images[0], batch_size=8, verbose=0)
    assert gan.sample(2).shape == (2, 16, 16, 1)


def test_conditional_without_labels_is_one_clear_error(make_gan, images):
    with pytest.raises(UserError, match=r"\(images, labels\)"):
        make_gan(3).fit(images[0], verbose=0)


class Penalized(layers.Layer):
    """Adds its mean square to the loss."""

    def call(self, inputs):
        self.add_loss(keras.ops.mean(inputs**2))
        return inputs


@pytest.mark.parametrize("network", ["generator", "discriminator"])
@pytest.mark.parametrize(
    "layer",
    [
        layers.Dense(4, kernel_regularizer=keras.regularizers.L2(3.0), name="k"),
        layers.Dense(4, activity_regularizer=keras.regularizers.L2(3.0), name="a"),
        Penalized(),
    ],
    ids=["kernel", "activity", "add_loss"],
)
@pytest.mark.parametrize("normalization", [False, True], ids=["one", "two"])
def test_what_layers_add_enters_their_own_networks_loss(
    build, data, network, layer, normalization
):
    """One step against the loss differentiated by hand, in one stage and in two."""
    middle = [layers.BatchNormalization()] if normalization else []
    copy = type(layer).from_config(layer.get_config())
    inside = {network: [copy, layers.Dense(8, name="after")]}
    inside["discriminator"] = [*inside.get("discriminator", []), *middle]
    gan = build(**inside)
    weights = {
        role: [weight.numpy() for weight in getattr(gan, role).trainable_variables]
        for role in ("generator", "discriminator")
    }
    latents = gan.training_latents(len(data))
    with tf.GradientTape(persistent=True) as tape:
        fake = gan.generator(latents, training=True)
        g_added = sum(gan.generator.losses) if network == "generator" else 0.0
        real_logits = gan.discriminator(data, training=True)
        d_added = sum(gan.discriminator.losses)
        fake_logits = gan.discriminator(fake, training=True)
        if not isinstance(layer, layers.Dense) or layer.activity_regularizer:
            d_added += sum(gan.discriminator.losses)
        loss = gan.objective.loss
        losses = {
            "discriminator": loss.discriminator(real_logits, fake_logits) + d_added,
            "generator": loss.generator(real_logits, fake_logits) + g_added,
        }
    gradients = {
        role: tape.gradient(losses[role], getattr(gan, role).trainable_variables)
        for role in losses
    }
    logs = gan.train_on_batch(data, return_dict=True)
    for role, before in weights.items():
        for variable, value, gradient in zip(
            getattr(gan, role).trainable_variables, before, gradients[role], strict=True
        ):
            expected = value - 0.01 * keras.ops.convert_to_numpy(gradient)
            np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-4, atol=1e-5)
    added = d_added if network == "discriminator" else g_added
    assert logs[f"{network[0]}_regularization"] == pytest.approx(float(added), rel=1e-4)
    total = logs["d_loss"] + logs["g_loss"] + logs[f"{network[0]}_regularization"]
    assert logs["loss"] == pytest.approx(total, rel=1e-5)


def test_networks_of_free_form_code_are_not_judged_by_sample():
    class Coupled(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs - keras.ops.mean(inputs, axis=0))

    network = Coupled()
    network(np.zeros((2, 3)))
    assert not forward.is_per_sample(network)
    assert forward.is_per_sample(keras.Sequential([keras.Input((3,)), layers.Dense(1)]))


def test_networks_may_name_their_outputs(data):
    latents, images = keras.Input((6,)), keras.Input((8,))
    gan = GAN(
        keras.Model(latents, {"image": layers.Dense(8)(latents)}),
        keras.Model(images, {"logit": layers.Dense(1)(images)}),
    )
    gan.compile("sgd", "sgd", regularizers="r1")
    gan.fit(data, batch_size=8, verbose=0)
    latents = np.ones((2, 6), np.float32)
    expected = gan.generator(latents)
    assert gan.generate(latents).shape == expected["image"].shape == (2, 8)
