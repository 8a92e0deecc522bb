"""SAN: gradients by hand, by an independent implementation, and through a run."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganlab import GAN, networks
from ganlab.errors import UserError
from ganlab.models import batches, directions
from ganlab.models.batches import DiscriminatorInputs
from ganlab.networks import ChosenClass, SlicingNormalization
from ganlab.objectives import losses


def linear_gan(loss="hinge", **options):
    """A generator of 2 numbers and a discriminator of two linear layers."""
    gan = GAN(
        keras.Sequential([keras.Input((2,)), layers.Dense(2, use_bias=False)]),
        keras.Sequential(
            [
                keras.Input((2,)),
                layers.Dense(2, use_bias=False),
                SlicingNormalization(layers.Dense(1)),
            ]
        ),
    )
    gan.compile("sgd", "sgd", loss=loss, **options)
    return gan


def gradients_of(gan, real, fake, labels=None, **options):
    real, fake = tf.constant(real, "float32"), tf.constant(fake, "float32")
    inputs = DiscriminatorInputs(real, fake, labels, 0)
    return gan.differentiate(gan, inputs, **options)


def test_each_part_by_hand():
    gan = linear_gan()
    body, head = gan.discriminator.layers
    body.kernel.assign([[1.0, 0.0], [0.0, 1.0]])  # h(x) = x
    head.kernel.assign([[2.0], [0.0]])  # direction (1, 0)
    head.scale.assign([0.5])
    head.layer.bias.assign([0.0])
    # Logits: real 0.5 and 4 (past the margin), fake -0.5 and -4 (past it).
    real, fake = [[1.0, 2.0], [8.0, 4.0]], [[-1.0, 6.0], [-8.0, 0.0]]
    gradients = gradients_of(gan, real, fake)
    of = {
        variable.path: gradient.numpy()
        for variable, gradient in zip(
            gan.discriminator.trainable_variables, gradients.discriminator, strict=True
        )
    }
    of_body, of_bias, of_kernel, of_scale = (
        of[variable.path]
        for variable in (body.kernel, head.layer.bias, head.kernel, head.scale)
    )
    # Hinge: d L / d logit is -1/2 for the first real, 1/2 for the first fake.
    np.testing.assert_allclose(of_scale, [-0.5 * 1.0 + 0.5 * -1.0], atol=1e-6)
    np.testing.assert_allclose(of_bias, [0.0], atol=1e-6)
    # Through h alone: s w is (0.5, 0).
    rows = -0.5 * np.array([1.0, 2.0]) + 0.5 * np.array([-1.0, 6.0])
    np.testing.assert_allclose(of_body, np.outer(rows, [0.5, 0.0]), atol=1e-6)
    # Direction: Wasserstein over all samples, whatever the margin: s (fake - real)
    # means, across the kernel of length 2 and not along it.
    difference = np.mean(fake, axis=0) - np.mean(real, axis=0)
    expected = [0.0, 0.5 * difference[1] / 2.0]
    np.testing.assert_allclose(of_kernel[:, 0], expected, atol=1e-6)
    # The generator: -E of the logit.
    np.testing.assert_allclose(gradients.fake_inputs, [[-0.25, 0.0], [-0.25, 0.0]])


def two_outputs(gan, real, fake, labels=None):
    """SAN as a network of two outputs: of the function, and of the direction."""
    discriminator, loss = gan.discriminator, gan.objective.loss
    head = next(x for x in discriminator.layers if isinstance(x, SlicingNormalization))
    below = keras.Model(discriminator.inputs[:1], head.input)

    def outputs(x):
        h = tf.reshape(below(x, training=True), (len(x), -1))
        kernel = tf.reshape(tf.convert_to_tensor(head.kernel), (h.shape[1], -1))
        direction = kernel / tf.norm(kernel, axis=0)
        scale = tf.convert_to_tensor(head.scale)
        bias = tf.convert_to_tensor(head.layer.bias)
        function = tf.matmul(h, tf.stop_gradient(direction)) * scale + bias
        slices = tf.matmul(tf.stop_gradient(h), direction) * tf.stop_gradient(scale)
        if labels is not None:
            function, slices = (
                tf.gather(x, labels, batch_dims=1)[:, None] for x in (function, slices)
            )
        return function, slices

    with tf.GradientTape(persistent=True) as tape:
        tape.watch(fake)
        (real_logits, real_slices), (fake_logits, fake_slices) = map(
            outputs, (real, fake)
        )
        total = loss.discriminator(real_logits, fake_logits)
        total += tf.reduce_mean(fake_slices) - tf.reduce_mean(real_slices)
        of_generator = loss.generator(real_logits, fake_logits)
    variables = discriminator.trainable_variables
    return tape.gradient(total, variables), tape.gradient(of_generator, fake)


@pytest.mark.parametrize(
    ("loss", "normalization", "num_classes"),
    [
        ("hinge", "none", None),
        ("non_saturating", "batch", 3),
        ("relativistic", "none", 3),
        *(
            pytest.param(name, "none", None, marks=pytest.mark.e2e)
            for name in losses.LOSSES
            if name != "hinge"
        ),
    ],
)
def test_gradients_equal_those_of_two_outputs(
    loss, normalization, num_classes, perturb
):
    gan = GAN(
        networks.dcgan_generator(
            16, latent_dim=4, base_filters=2, num_classes=num_classes
        ),
        networks.dcgan_discriminator(
            16,
            base_filters=4,
            normalization=normalization,
            num_classes=num_classes,
            san=True,
        ),
        num_classes=num_classes,
    )
    gan.compile("sgd", "sgd", loss=loss)
    perturb(gan.discriminator, 0.2)
    draws = np.random.default_rng(0)
    real, fake = (
        tf.constant(draws.normal(size=(8, 16, 16, 1)), "float32") for _ in range(2)
    )
    labels = None if num_classes is None else tf.constant([0, 1, 2, 0, 1, 2, 0, 1])
    gradients = gradients_of(gan, real, fake, labels)
    of_discriminator, of_images = two_outputs(gan, real, fake, labels)
    pairs = zip(gradients.discriminator, of_discriminator, strict=True)
    for own, other in [*pairs, (gradients.fake_inputs, of_images)]:
        scale = np.abs(other).max()
        np.testing.assert_allclose(own, other, atol=1e-5 * scale + 1e-7)


@pytest.mark.parametrize("loss", ["hinge", "non_saturating"])
def test_penalties_train_the_features_and_leave_the_direction(loss):
    draws = np.random.default_rng(0)
    real, fake = draws.normal(size=(2, 8, 2))
    plain, held = linear_gan(loss), linear_gan(loss, regularizers="r1")
    held.set_weights(plain.get_weights())
    kernel, *_ = directions.kernels(held.discriminator)
    index = [v is kernel for v in held.discriminator.trainable_variables].index(True)
    one, other = (gradients_of(gan, real, fake) for gan in (plain, held))
    np.testing.assert_allclose(
        one.discriminator[index], other.discriminator[index], atol=1e-6
    )
    assert np.abs(one.discriminator[0] - other.discriminator[0]).max() > 1e-4


def test_without_it_gradients_are_those_of_the_loss():
    gan = GAN(
        networks.dcgan_generator(16, base_filters=2),
        networks.dcgan_discriminator(16, base_filters=2),
    )
    gan.compile("sgd", "sgd")
    given = [object()]
    assert directions.with_directions(gan, None, [], given) is given


@pytest.mark.e2e
def test_it_trains_keeps_length_1_and_goes_on_exactly_where_it_was(tmp_path, images):
    def build():
        keras.utils.set_random_seed(0)
        shape = {"num_classes": 3, "base_filters": 4}
        gan = GAN(
            networks.dcgan_generator(16, latent_dim=8, **shape),
            networks.dcgan_discriminator(16, san=True, **shape),
            num_classes=3,
        )
        gan.compile(*(keras.optimizers.Adam(1e-2) for _ in range(2)), loss="hinge")
        return gan

    def fit(gan, epochs):
        gan.fit(*images, batch_size=8, epochs=epochs, shuffle=False, verbose=0)

    gan = build()
    fit(gan, 1)
    kernel, *_ = directions.kernels(gan.discriminator)
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), 1.0, rtol=1e-6)
    before = kernel.numpy()
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras", safe_mode=True)
    for either in (gan, loaded):
        fit(either, 1)
    assert np.abs(kernel.numpy() - before).max() > 1e-3
    for one, other in zip(gan.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def discriminator_of(end):
    images = keras.Input((4, 4, 1))
    labels = keras.Input((), dtype="int32", name="labels")
    return keras.Model([images, labels], end(layers.Conv2D(2, 3)(images), labels))


def dense(units, sliced=True):
    layer = layers.Dense(units)
    return SlicingNormalization(layer) if sliced else layer


LAST = {
    "dense": lambda x, y: dense(1)(layers.Flatten()(x)),
    "patches": lambda x, y: SlicingNormalization(layers.Conv2D(1, 1))(x),
    "joined": lambda x, y: layers.Concatenate()(
        [dense(1)(layers.Flatten()(x)), dense(1)(layers.GlobalAveragePooling2D()(x))]
    ),
    "of a class": lambda x, y: ChosenClass()([dense(3)(layers.Flatten()(x)), y]),
    "inside a model": lambda x, y: keras.Sequential(
        [keras.Input(x.shape[1:]), layers.Flatten(), dense(1)]
    )(x),
}
NOT_LAST = {
    "before an activation": lambda x, y: layers.LeakyReLU()(LAST["dense"](x, y)),
    "before a layer": lambda x, y: layers.Dense(1)(dense(2)(layers.Flatten()(x))),
    "beside a plain one": lambda x, y: layers.Add()(
        [LAST["dense"](x, y), dense(1, sliced=False)(layers.Flatten()(x))]
    ),
    "in the middle too": lambda x, y: dense(1)(dense(2)(layers.Flatten()(x))),
}


@pytest.mark.parametrize("end", LAST.values(), ids=list(LAST))
def test_it_is_the_last_layer(end):
    directions.check_last(discriminator_of(end))


@pytest.mark.parametrize("end", NOT_LAST.values(), ids=list(NOT_LAST))
def test_anywhere_else_it_is_refused(end):
    with pytest.raises(UserError, match="as the last layer of every logit") as caught:
        directions.check_last(discriminator_of(end))
    assert "\n" not in str(caught.value)


def test_a_gan_refuses_it_where_it_is_built():
    with pytest.raises(UserError, match="as the last layer"):
        GAN(
            keras.Sequential([keras.Input((2,)), layers.Dense(4)]),
            keras.Sequential([keras.Input((4,)), dense(3), layers.Dense(1)]),
        )


@pytest.mark.e2e
def test_lazy_penalties_and_several_steps_train(images):
    gan = GAN(
        networks.dcgan_generator(16, latent_dim=8, base_filters=4),
        networks.dcgan_discriminator(16, base_filters=4, san=True),
    )
    gan.compile(
        "adam",
        "adam",
        discriminator_steps=2,
        regularizers="gradient_penalty",
        augmentation="diffaugment",
        updates="alternating",
    )
    generated = batches.generate(gan, batches.split(gan, images[0])[0])
    assert np.isfinite(generated.images).all()
    history = gan.fit(images[0], batch_size=8, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
