"""Is the step the algorithm, and does the model behave as Keras models do?"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import GAN, networks
from ganlab.errors import UserError
from ganlab.models import ema, forward
from ganlab.objectives import losses
from ganlab.objectives.augmentation import AdaptiveAugment
from ganlab.objectives.regularizers import R1
from ganlab.objectives.schedules import ScheduledAdam


def weights_of(gan):
    return [weight.numpy() for weight in gan.weights]


def assert_equal_weights(one, other):
    for a, b in zip(weights_of(one), weights_of(other), strict=True):
        np.testing.assert_array_equal(a, b)


def drawn_latents(num_images, replica=0):
    """What the first step draws for seed 0."""
    stream = tf.random.experimental.stateless_fold_in(
        tf.constant([0, 0], tf.int64), tf.constant(replica, tf.int64)
    )
    return tf.random.stateless_normal((num_images, 8), stream)


@pytest.mark.parametrize("num_classes", [None, 3])
def test_one_step_is_simultaneous_gradient_descent(make_gan, images, num_classes):
    gan = make_gan(num_classes, keras.optimizers.SGD, players={"normalization": "none"})
    pixels, labels = images
    generator, discriminator = gan.generator, gan.discriminator
    latents = drawn_latents(16)
    labels_tensor = tf.constant(labels)

    def play(player, x):
        x = tf.convert_to_tensor(x)
        return player(x if num_classes is None else [x, labels_tensor], training=True)

    with tf.GradientTape(persistent=True) as tape:
        fake = play(generator, latents)
        real, fake = play(discriminator, pixels), play(discriminator, fake)
        real_p, fake_p = tf.sigmoid(real), tf.sigmoid(fake)
        d_loss = -tf.reduce_mean(tf.math.log(real_p)) - tf.reduce_mean(
            tf.math.log(1 - fake_p)
        )
        g_loss = -tf.reduce_mean(tf.math.log(fake_p))
    expected = [
        variable - 1e-3 * tf.convert_to_tensor(tape.gradient(loss, variable))
        for loss, player in ((d_loss, discriminator), (g_loss, generator))
        for variable in player.trainable_variables
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


def test_discriminator_steps_cut_the_batch(make_gan, images):
    gan = make_gan(discriminator_steps=2)
    gan.train_on_batch(images[0])
    assert gan.discriminator_optimizer.iterations == 2
    assert gan.generator_optimizer.iterations == 1
    assert gan.step == 1


def test_average_by_hand():
    assert float(ema.decay_at(0, 0.999)) == pytest.approx(0.1)
    assert float(ema.decay_at(90, 0.999)) == pytest.approx(0.91)
    assert float(ema.decay_at(10**6, 0.999)) == pytest.approx(0.999)
    assert float(ema.averaged_value(2.0, 4.0, 0.75)) == pytest.approx(2.5)


def test_average_follows_every_weight_batch_statistics_included(make_gan, images):
    gan = make_gan(ema_decay=0.5)
    averages = [weight.numpy() for weight in gan.ema_generator.weights]
    for step in range(3):
        gan.train_on_batch(images[0])
        decay = min(0.5, (1 + step) / (10 + step))
        averages = [
            decay * average + (1 - decay) * weight.numpy()
            for average, weight in zip(averages, gan.generator.weights, strict=True)
        ]
    names = [weight.path for weight in gan.ema_generator.weights]
    assert any("moving_mean" in name for name in names)
    for average, weight in zip(averages, gan.ema_generator.weights, strict=True):
        np.testing.assert_allclose(weight, average, rtol=1e-5, atol=1e-7)


def test_saved_and_loaded_it_goes_on_to_the_bit(make_gan, images, tmp_path):
    one = make_gan(3, loss=losses.NonSaturating(0.1), seed=5)
    for _ in range(3):
        one.train_on_batch(*images)
    one.save(tmp_path / "gan.keras")
    other = keras.saving.load_model(tmp_path / "gan.keras", safe_mode=True)
    assert_equal_weights(one, other)
    assert other.adversarial_loss.label_smoothing == 0.1
    for _ in range(3):
        one.train_on_batch(*images)
        other.train_on_batch(*images)
    assert_equal_weights(one, other)


def test_seeds_decide(make_gan, images):
    def train(seed):
        keras.utils.set_random_seed(seed)
        gan = make_gan(seed=seed)
        gan.fit(images[0], batch_size=8, epochs=2, verbose=0, shuffle=False)
        return gan

    one, same, other = train(1), train(1), train(2)
    assert_equal_weights(one, same)
    assert not np.array_equal(one.sample(4), other.sample(4))


def test_test_step_changes_nothing(make_gan, images):
    gan = make_gan(3)
    gan.train_on_batch(*images)
    before = weights_of(gan)
    logs = gan.evaluate(*images, verbose=0, return_dict=True)
    for a, b in zip(before, weights_of(gan), strict=True):
        np.testing.assert_array_equal(a, b)
    assert {"d_loss", "g_loss", "d_real", "d_fake"} <= set(logs)


def test_sample_and_predict_draw_from_the_average(make_gan, images):
    gan = make_gan(3)
    gan.train_on_batch(*images)
    drawn = gan.sample(5, seed=1, labels=[0, 1, 2, 2, 2])
    assert drawn.shape == (5, 16, 16, 1)
    assert drawn.dtype == np.uint8
    np.testing.assert_array_equal(drawn[:2], gan.sample(2, seed=1, labels=[0, 1]))
    latents, labels = np.ones((3, 8), np.float32), np.arange(3)
    np.testing.assert_allclose(
        gan.predict([latents, labels], verbose=0),
        gan.ema_generator([latents, labels], training=False),
        atol=1e-6,
    )


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains_and_reloads(make_gan, images, policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    gan = make_gan(3)
    scaled = policy == "mixed_float16"
    for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer) == scaled
    gan.fit(*images, batch_size=8, epochs=10, verbose=0)
    assert gan.generator_optimizer.iterations == 20
    assert all(np.isfinite(weight).all() for weight in weights_of(gan))
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert type(loaded.generator_optimizer) is type(gan.generator_optimizer)
    assert_equal_weights(gan, loaded)


def test_float16_loss_scale_keeps_small_gradients_and_skips_overflow(make_gan, images):
    keras.config.set_dtype_policy("mixed_float16")
    gan = make_gan()
    logs = gan.train_on_batch(images[0], return_dict=True)
    assert 0 < logs["g_gradient_norm"] < 100  # unscaled: the scale is 32768
    before = [w.numpy() for w in gan.discriminator.trainable_variables]
    logs = gan.train_on_batch(np.full_like(images[0], np.inf), return_dict=True)
    assert logs["d_gradient_norm"] == 0.0  # the mean over no step
    after = [w.numpy() for w in gan.discriminator.trainable_variables]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)
    assert float(gan.discriminator_optimizer.dynamic_scale) == 2.0**14


def test_mirrored_strategy_equals_one_device_on_the_whole_batch(strategy, images):
    pixels = images[0]
    shape = {"base_filters": 4}

    def build():
        keras.utils.set_random_seed(0)
        gan = GAN(
            networks.dcgan_generator(16, latent_dim=8, normalization="none", **shape),
            networks.dcgan_discriminator(16, **shape),
        )
        gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
        return gan

    with strategy.scope():
        mirrored = build()
    batches = tf.data.Dataset.from_tensors(pixels).repeat()
    logs = mirrored.fit(batches, steps_per_epoch=1, verbose=0, shuffle=False).history

    single = build()
    latents = tf.concat([drawn_latents(8, replica) for replica in range(2)], axis=0)
    single._draw_latents = lambda num_images, part: latents
    expected = single.train_on_batch(pixels, return_dict=True)

    for a, b in zip(mirrored.weights, single.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)
    assert logs["d_loss"][0] == pytest.approx(expected["d_loss"], rel=1e-4)
    assert mirrored.step == 1


def test_mirrored_strategy_in_float16_with_batch_norm_recomputed(strategy, images):
    keras.config.set_dtype_policy("mixed_float16")
    with strategy.scope():
        gan = GAN(
            networks.dcgan_generator(16, latent_dim=8, base_filters=4),
            networks.dcgan_discriminator(16, base_filters=4, normalization="batch"),
        )
        gan.compile("adam", "adam", recompute=True)
    batches = tf.data.Dataset.from_tensors(images[0]).repeat()
    gan.fit(batches, steps_per_epoch=3, epochs=2, verbose=0, shuffle=False)
    assert gan.step == 6
    assert np.isfinite(gan.predict(np.zeros((4, 8)), verbose=0)).all()


def test_accumulation_over_several_devices_is_refused(strategy):
    with strategy.scope():
        gan = GAN(
            networks.dcgan_generator(16, latent_dim=8, base_filters=4),
            networks.dcgan_discriminator(16, base_filters=4),
        )
        adams = [keras.optimizers.Adam(gradient_accumulation_steps=2) for _ in range(2)]
        with pytest.raises(UserError, match=r"one device.*2 devices"):
            gan.compile(*adams)


def test_mirrored_strategy_with_state_and_penalties(strategy, images):
    with strategy.scope():
        gan = GAN(
            networks.dcgan_generator(16, latent_dim=8, base_filters=4),
            networks.dcgan_discriminator(16, base_filters=4, spectral_norm=True),
        )
        gan.compile(
            "adam",
            "adam",
            loss="relativistic",
            regularizers=[R1(1.0, every=2), "lecam"],
            augmentation=AdaptiveAugment(target=0.01, images_to_full=640),
        )
    batches = tf.data.Dataset.from_tensors(images[0]).repeat()
    history = gan.fit(batches, steps_per_epoch=8, epochs=2, verbose=0, shuffle=False)
    assert np.isfinite(history.history["d_penalty"]).all()
    assert float(gan.regularizers[1].real_mean.numpy()) != 0.0
    # 16 images a step over both replicas, up or down every 4 steps
    assert gan.augmentation.probability.numpy() == pytest.approx(0.1 * 4, abs=1e-6)


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


def test_instance_noise_is_added_to_both_sides_and_fades(make_gan, images):
    fade = keras.optimizers.schedules.PolynomialDecay(0.5, 10, 0.0)
    gan = make_gan(instance_noise=fade)
    pixels = tf.constant(images[0])
    for step, deviation in ((0, 0.5), (5, 0.25), (10, 0.0)):
        gan.step.assign(step)
        noise = [gan._shown(pixels, 0, side).numpy() - pixels for side in (0, 1)]
        for each in noise:
            assert float(np.std(each)) == pytest.approx(deviation, rel=0.05)
        assert deviation == 0.0 or not np.allclose(*noise)


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


def test_a_scheduled_beta_is_followed_saved_and_reloaded(make_gan, images, tmp_path):
    gan = make_gan()
    cosine = keras.optimizers.schedules.CosineDecay(0.9, 10, alpha=0.99 / 0.9)
    gan.compile(ScheduledAdam(1e-3, 0.0, cosine), ScheduledAdam(1e-3, 0.0, cosine))
    optimizer = gan.generator_optimizer
    assert float(optimizer.beta_2) == pytest.approx(0.9)
    for _ in range(5):
        gan.train_on_batch(images[0])
    assert float(optimizer.beta_2) == pytest.approx(0.945)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras", safe_mode=True)
    assert float(loaded.generator_optimizer.beta_2) == pytest.approx(0.945)
    for one in (gan, loaded):
        one.train_on_batch(images[0])
    assert_equal_weights(gan, loaded)


def test_scheduled_adam_with_fixed_betas_is_adam():
    weights = []
    for optimizer in (
        keras.optimizers.Adam(0.1, 0.5, 0.9),
        ScheduledAdam(0.1, 0.5, 0.9),
    ):
        variable = keras.Variable([1.0, -2.0])
        for step in range(5):
            optimizer.apply([tf.constant([0.5, step - 2.0])], [variable])
        weights.append(variable.numpy())
    np.testing.assert_array_equal(*weights)


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


def test_steps_per_execution(make_gan, images):
    gan = make_gan()
    gan.compile("adam", "adam", steps_per_execution=2)
    gan.fit(images[0], batch_size=4, epochs=1, verbose=0)
    assert gan.step == 4


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda g, d: GAN(g, d, num_classes=3), "2 input"),
        (lambda g, d: GAN(g, d, ema_decay=1.0), "EMA decay"),
        (lambda g, d: GAN(d, g), r"takes? what the generator draws|to take what"),
        (lambda g, d: GAN(keras.Sequential(), d), "functional or built Sequential"),
        (lambda g, d: GAN(g, d).sample(0), "1 image or more"),
        (lambda g, d: GAN(g, d).compile("adam", "adam", loss="nope"), "Unknown loss"),
        (
            lambda g, d: GAN(g, d).compile("adam", "adam", discriminator_steps=0),
            "1 discriminator step",
        ),
        (
            lambda g, d: GAN(
                networks.mlp_generator(widths=(4,)),
                networks.mlp_discriminator(widths=(4,)),
            ).compile("adam", "adam", augmentation="ada"),
            "augmentation of images alone",
        ),
        (lambda g, d: GAN(g, d, packing=2), r"\(16, 16, 2\) for packing=2"),
        (lambda g, d: GAN(g, d, packing=0), "packing of 1 or more"),
    ],
)
def test_a_wrong_build_says_what_to_mend(build, message):
    generator = networks.dcgan_generator(16, base_filters=2)
    discriminator = networks.dcgan_discriminator(16, base_filters=2)
    with pytest.raises(UserError, match=message):
        build(generator, discriminator)


def test_a_subclassed_player_trains_once_it_is_wrapped(images):
    @keras.saving.register_keras_serializable(package="test")
    class Sharpener(keras.Model):
        def __init__(self, **options):
            super().__init__(**options)
            self.dense = keras.layers.Dense(256, activation="tanh")

        def call(self, latents):
            return keras.ops.reshape(self.dense(latents), (-1, 16, 16, 1))

    discriminator = networks.dcgan_discriminator(16, base_filters=2)
    with pytest.raises(UserError, match=r"Sharpener.*wrap it"):
        GAN(Sharpener(), discriminator)
    latents = keras.Input((8,))
    gan = GAN(keras.Model(latents, Sharpener()(latents)), discriminator)
    gan.compile("adam", "adam")
    gan.fit(images[0], batch_size=8, verbose=0)
    assert gan.sample(2).shape == (2, 16, 16, 1)


def test_labels_out_of_range_are_refused(make_gan):
    with pytest.raises(UserError, match="2 labels from 0 to 2"):
        make_gan(3).sample(2, labels=[0, 3])


def test_one_optimizer_for_both_is_refused(make_gan):
    gan, optimizer = make_gan(), keras.optimizers.Adam()
    with pytest.raises(UserError, match="two optimizers"):
        gan.compile(optimizer, optimizer)


def test_conditional_without_labels_is_one_clear_error(make_gan, images):
    with pytest.raises(UserError, match=r"\(images, labels\)"):
        make_gan(3).fit(images[0], verbose=0)


def in_float64(model):
    def widened(layer):
        return type(layer).from_config({**layer.get_config(), "dtype": "float64"})

    return keras.models.clone_model(model, clone_function=widened)


def two_passes(gan, options, images):
    """Both gradients by the definition, one pass for each loss."""
    loss = losses.get(options["loss"])
    latents = tf.cast(gan._draw_latents(len(images), 0), "float64")
    with tf.GradientTape(persistent=True) as tape:
        fake_images = gan.generator(latents, training=True)
        real = gan.discriminator(images, training=True)
        fake = gan.discriminator(fake_images, training=True)
        d_loss = loss.discriminator(real, fake)
        g_loss = loss.generator(real, fake)
        for name in options.get("regularizers", []):
            side = images if name == "r1" else tf.stop_gradient(fake_images)
            with tf.GradientTape() as inner:
                inner.watch(side)
                total = tf.reduce_sum(gan.discriminator(side, training=True))
            slope = tf.reduce_sum(inner.gradient(total, side) ** 2, axis=(1, 2, 3))
            d_loss += 0.05 * 0.5 * tf.reduce_mean(slope)
    return [
        tape.gradient(total, player.trainable_variables)
        for total, player in ((d_loss, gan.discriminator), (g_loss, gan.generator))
    ]


@pytest.mark.parametrize("loss", losses.LOSSES)
@pytest.mark.parametrize(
    ("normalization", "regularizers"),
    [("batch", []), ("none", []), ("none", ["r1"]), ("none", ["r1", "r2"])],
)
def test_gradients_are_the_simultaneous_ones(loss, regularizers, normalization):
    """One stage, or two passes with batch statistics; equal in float64."""
    keras.config.set_floatx("float64")
    try:
        keras.utils.set_random_seed(0)
        gan = GAN(
            in_float64(networks.dcgan_generator(16, latent_dim=8, base_filters=4)),
            in_float64(
                networks.dcgan_discriminator(
                    16, base_filters=4, normalization=normalization
                )
            ),
        )
        for layer in gan.discriminator.layers + gan.generator.layers:
            for weight in layer.trainable_weights:
                weight.assign(weight * 5.0)  # so that logits lie apart
        options = {"loss": loss, "regularizers": regularizers}
        images = tf.constant(np.random.default_rng(1).normal(size=(6, 16, 16, 1)))
        gan.compile(keras.optimizers.SGD(1.0), keras.optimizers.SGD(1.0), **options)
        assert gan._one_stage == (normalization == "none")
        expected = two_passes(gan, options, images)
        latents = tf.cast(gan._draw_latents(len(images), 0), "float64")
        with tf.GradientTape() as drawing:
            fake_images = gan.generator(latents, training=True)
        _, of_discriminator, at_fake, _ = gan._differentiate(
            (images, fake_images), None, 0, True, penalized=bool(regularizers)
        )
        of_generator = drawing.gradient(
            fake_images, gan.generator.trainable_variables, at_fake
        )
        actual = (of_discriminator, of_generator)
        for ours, theirs in zip(actual, expected, strict=True):
            scale = max(np.abs(each).max() for each in theirs)
            for one, other in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(one / scale, other / scale, atol=1e-9)
    finally:
        keras.config.set_floatx("float32")


def test_alternating_the_generator_meets_the_discriminator_that_moved(make_gan, images):
    def generator_after(discriminator_rate, updates):
        keras.utils.set_random_seed(0)
        gan = make_gan()
        gan.compile(
            keras.optimizers.SGD(1.0),
            keras.optimizers.SGD(discriminator_rate),
            updates=updates,
        )
        gan.train_on_batch(images[0])
        return gan, weights_of(gan.generator)

    still, at_rest = generator_after(0.0, "simultaneous")
    for a, b in zip(at_rest, generator_after(0.0, "alternating")[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    for a, b in zip(at_rest, generator_after(5.0, "simultaneous")[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    apart = [
        np.abs(a - b).max()
        for a, b in zip(at_rest, generator_after(5.0, "alternating")[1], strict=True)
    ]
    assert max(apart) > 1e-4
    with pytest.raises(UserError, match="simultaneous"):
        still.compile("sgd", "sgd", updates="both")


def test_recomputing_the_fakes_changes_nothing(images):
    def trained(recompute):
        keras.utils.set_random_seed(0)
        generator = networks.dcgan_generator(16, latent_dim=8, base_filters=4)
        noisy = keras.layers.Dropout(0.3, seed=1)(generator.layers[-2].output)
        generator = keras.Model(
            generator.inputs, keras.layers.Activation("tanh")(noisy)
        )
        gan = GAN(generator, networks.dcgan_discriminator(16, base_filters=4))
        gan.compile(
            keras.optimizers.SGD(0.05),
            keras.optimizers.SGD(0.05),
            augmentation="diffaugment",
            recompute=recompute,
        )
        gan.fit(images[0], batch_size=4, shuffle=False, verbose=0)
        return weights_of(gan)

    for plain, again in zip(trained(False), trained(True), strict=True):
        np.testing.assert_allclose(plain, again, rtol=1e-4, atol=1e-5)


def test_accumulated_gradients_move_both_players_and_the_average_once(make_gan, images):
    rate, steps = 0.1, 3

    def optimizers(accumulated):
        return (
            keras.optimizers.SGD(rate, gradient_accumulation_steps=accumulated)
            for _ in range(2)
        )

    def players_of(gan):
        return [
            weight.numpy()
            for player in (gan.generator, gan.discriminator)
            for weight in player.trainable_variables
        ]

    gan = make_gan(players={"normalization": "none"})
    gan.compile(*optimizers(steps))
    start = gan.get_weights()
    at_rest, averaged = players_of(gan), gan.ema_generator.get_weights()
    for index in range(steps):
        for before, now in zip(at_rest, players_of(gan), strict=True):
            np.testing.assert_array_equal(before, now)
        for before, now in zip(averaged, gan.ema_generator.get_weights(), strict=True):
            np.testing.assert_array_equal(before, now)
        gan.train_on_batch(images[0][5 * index : 5 * index + 5])
    accumulated = players_of(gan)
    moves = []
    for index in range(steps):
        single = make_gan(players={"normalization": "none"})
        single.compile(*optimizers(None))
        single.set_weights(start)
        single.step.assign(index)
        single.train_on_batch(images[0][5 * index : 5 * index + 5])
        moves.append(
            [now - then for now, then in zip(players_of(single), at_rest, strict=True)]
        )
    for now, then, *each in zip(accumulated, at_rest, *moves, strict=True):
        np.testing.assert_allclose(now, then + np.mean(each, axis=0), atol=1e-6)
    decay = 0.1  # (1 + 0) / (10 + 0), of the first update
    for before, now, weight in zip(
        averaged, gan.ema_generator.get_weights(), gan.generator.weights, strict=True
    ):
        expected = before + (1 - decay) * (weight.numpy() - before)
        np.testing.assert_allclose(now, expected, atol=1e-6)


def test_accumulation_in_float16_and_from_a_config():
    from ganlab.config.settings import Recipe
    from ganlab.training.build import build_gan

    def moved(player, before):
        return [
            not np.array_equal(then, weight.numpy())
            for then, weight in zip(before, player.weights, strict=True)
            if weight.trainable
        ]

    keras.config.set_dtype_policy("mixed_float16")
    recipe = Recipe(gradient_accumulation_steps=2, recompute=True)
    gan = build_gan(recipe.completed(16, 1), None)
    assert gan.recompute
    before = gan.generator.get_weights()
    pixels = np.zeros((8, 16, 16, 1), "float32")
    gan.train_on_batch(pixels)
    assert not any(moved(gan.generator, before))
    gan.train_on_batch(pixels)
    assert any(moved(gan.generator, before))
