"""The step is the algorithm, and the model behaves as Keras models do."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import GAN, networks
from ganlab.errors import UserError
from ganlab.objectives import losses


def weights_of(gan):
    return [weight.numpy() for weight in gan.weights]


def assert_equal_weights(one, other):
    for a, b in zip(weights_of(one), weights_of(other), strict=True):
        np.testing.assert_array_equal(a, b)


def first_latents(num_images, replica=0):
    """The latents of the first step for seed 0."""
    seed = tf.random.experimental.stateless_fold_in(
        tf.constant([0, 0], tf.int64), tf.constant(replica, tf.int64)
    )
    return tf.random.stateless_normal((num_images, 8), seed)


@pytest.mark.e2e
@pytest.mark.parametrize("num_classes", [None, 3])
def test_one_step_is_simultaneous_gradient_descent(make_gan, images, num_classes):
    gan = make_gan(
        num_classes, keras.optimizers.SGD, generator={"normalization": "none"}
    )
    pixels, labels = images
    generator, discriminator = gan.generator, gan.discriminator
    latents = first_latents(16)
    labels_tensor = tf.constant(labels)

    def call(network, x):
        x = tf.convert_to_tensor(x)
        return network(x if num_classes is None else [x, labels_tensor], training=True)

    with tf.GradientTape(persistent=True) as tape:
        fake = call(generator, latents)
        real, fake = call(discriminator, pixels), call(discriminator, fake)
        real_p, fake_p = tf.sigmoid(real), tf.sigmoid(fake)
        d_loss = -tf.reduce_mean(tf.math.log(real_p)) - tf.reduce_mean(
            tf.math.log(1 - fake_p)
        )
        g_loss = -tf.reduce_mean(tf.math.log(fake_p))
    expected = [
        variable - 1e-3 * tf.convert_to_tensor(tape.gradient(loss, variable))
        for loss, network in ((d_loss, discriminator), (g_loss, generator))
        for variable in network.trainable_variables
    ]
    data = (pixels,) if num_classes is None else (pixels, labels)
    logs = gan.train_on_batch(*data, return_dict=True)
    actual = discriminator.trainable_variables + generator.trainable_variables
    for value, variable in zip(expected, actual, strict=True):
        np.testing.assert_allclose(variable, value, atol=1e-6)
    assert logs["d_loss"] == pytest.approx(float(d_loss), rel=1e-5)
    assert logs["g_loss"] == pytest.approx(float(g_loss), rel=1e-5)
    assert logs["d_real"] == pytest.approx(float(tf.reduce_mean(real_p)), rel=1e-5)
    assert logs["d_fake"] == pytest.approx(float(tf.reduce_mean(fake_p)), rel=1e-5)
    assert logs["d_accuracy_real"] == pytest.approx(np.mean(real > 0))
    assert logs["d_accuracy_fake"] == pytest.approx(np.mean(fake < 0))
    gradients = [tape.gradient(g_loss, v) for v in generator.trainable_variables]
    assert logs["g_gradient_norm"] == pytest.approx(
        float(tf.linalg.global_norm(gradients)), rel=1e-4
    )


@pytest.mark.e2e
def test_saved_and_loaded_it_goes_on_to_the_bit(make_gan, images, tmp_path):
    one = make_gan(3, loss=losses.NonSaturating(0.1), seed=5)
    for _ in range(3):
        one.train_on_batch(*images)
    one.save(tmp_path / "gan.keras")
    other = keras.saving.load_model(tmp_path / "gan.keras", safe_mode=True)
    assert_equal_weights(one, other)
    assert other.objective.loss.label_smoothing == 0.1
    for _ in range(3):
        one.train_on_batch(*images)
        other.train_on_batch(*images)
    assert_equal_weights(one, other)


@pytest.mark.e2e
def test_test_step_changes_nothing(make_gan, images):
    gan = make_gan(3)
    gan.train_on_batch(*images)
    before = weights_of(gan)
    logs = gan.evaluate(*images, verbose=0, return_dict=True)
    for a, b in zip(before, weights_of(gan), strict=True):
        np.testing.assert_array_equal(a, b)
    assert {"d_loss", "g_loss", "d_real", "d_fake"} <= set(logs)


@pytest.mark.e2e
def test_an_auxiliary_classifier_learns_real_classes_and_teaches_fake_ones(images):
    pixels, labels = images
    marked = np.full_like(pixels, -1.0)
    marked[np.arange(16), labels * 4] = 1.0  # a bright row says the class
    shape = {"num_classes": 3, "base_filters": 8}
    gan = GAN(
        networks.dcgan_generator(16, latent_dim=8, **shape),
        networks.dcgan_discriminator(16, conditioning="auxiliary", **shape),
        num_classes=3,
    )
    gan.compile(keras.optimizers.Adam(2e-3, 0.5), keras.optimizers.Adam(2e-3, 0.5))
    logs = gan.fit(marked, labels, epochs=150, verbose=0).history
    assert logs["d_class_loss"][-1] < 0.1 < logs["d_class_loss"][0]
    assert logs["g_class_loss"][-1] < 0.5 * logs["g_class_loss"][0]
    assert gan.sample(3, labels=[0, 1, 2]).shape == (3, 16, 16, 1)


@pytest.mark.e2e
def test_keras_callbacks_work_in_plain_fit(make_gan, images, tmp_path):
    gan = make_gan(3)
    callbacks = keras.callbacks
    history = gan.fit(
        *images,
        batch_size=8,
        epochs=3,
        verbose=0,
        validation_data=images,
        callbacks=[
            callbacks.CSVLogger(tmp_path / "log.csv"),
            callbacks.TensorBoard(tmp_path / "tensorboard"),
            callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras"),
            callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)),
            callbacks.EarlyStopping(monitor="d_loss", patience=5, mode="min"),
            callbacks.ReduceLROnPlateau(monitor="g_loss", mode="min"),
            callbacks.TerminateOnNaN(),
            callbacks.BackupAndRestore(tmp_path / "backup"),
            callbacks.LambdaCallback(),
        ],
    )
    assert len(history.history["val_d_loss"]) == 3
    assert (tmp_path / "3.keras").exists()
    assert float(gan.generator_optimizer.learning_rate) == pytest.approx(0.1 / 3)


@pytest.mark.e2e
def test_steps_per_execution(make_gan, images):
    gan = make_gan()
    gan.compile("adam", "adam", steps_per_execution=2)
    gan.fit(images[0], batch_size=4, epochs=1, verbose=0)
    assert gan.step == 4


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda g, d: GAN(g, d, num_classes=3), "latents and a class"),
        (lambda g, d: GAN(g, d, ema_decay=1.0), "EMA decay"),
        (lambda g, d: GAN(d, g), r"takes? what the generator draws|to take what"),
        (lambda g, d: GAN(keras.Sequential(), d), "has been built"),
        (lambda g, d: GAN(g, d).sample(0), "1 image or more"),
        (lambda g, d: GAN(g, d).compile("adam", "adam", loss="nope"), "Unknown loss"),
        (
            lambda g, d: GAN(g, d).compile("adam", "adam", discriminator_steps=0),
            "discriminator_steps of 1 or more",
        ),
        (
            lambda g, d: GAN(
                networks.mlp_generator(widths=(4,)),
                networks.mlp_discriminator(widths=(4,)),
            ).compile("adam", "adam", augmentation="ada"),
            "augmentation of images alone",
        ),
        (lambda g, d: GAN(g, d, packing=2), r"\(16, 16, 2\) with packing=2"),
        (lambda g, d: GAN(g, d, packing=0), "packing of 1 or more"),
    ],
)
def test_a_wrong_build_says_what_to_mend(build, message):
    generator = networks.dcgan_generator(16, base_filters=2)
    discriminator = networks.dcgan_discriminator(16, base_filters=2)
    with pytest.raises(UserError, match=message):
        build(generator, discriminator)


def test_counts_may_be_numpys(images, tmp_path):
    gan = GAN(
        networks.dcgan_generator(16, latent_dim=8, base_filters=2),
        networks.dcgan_discriminator(16, base_filters=2),
        packing=np.int64(1),
        seed=np.int32(3),
    )
    gan.compile("adam", "adam", discriminator_steps=np.int64(2))
    gan.fit(images[0], batch_size=8, verbose=0)
    gan.save(tmp_path / "gan.keras")
    assert keras.saving.load_model(tmp_path / "gan.keras").discriminator_steps == 2
