"""Two optimizers: loss scaling, accumulation, scheduled betas."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import GAN, networks
from ganlab.errors import UserError


def weights_of(gan):
    return [weight.numpy() for weight in gan.weights]


def assert_equal_weights(one, other):
    for a, b in zip(weights_of(one), weights_of(other), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.e2e
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains_and_reloads(make_gan, images, policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    gan = make_gan(3)
    scaled = policy == "mixed_float16"
    for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer) == scaled
    gan.fit(*images, batch_size=8, epochs=2, verbose=0)
    assert gan.generator_optimizer.iterations == 4
    assert all(np.isfinite(weight).all() for weight in weights_of(gan))
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert type(loaded.generator_optimizer) is type(gan.generator_optimizer)
    assert_equal_weights(gan, loaded)


@pytest.mark.e2e
def test_float16_loss_scale_keeps_small_gradients_and_skips_overflow(make_gan, images):
    keras.config.set_dtype_policy("mixed_float16")
    gan = make_gan()
    logs = gan.train_on_batch(images[0], return_dict=True)
    assert 0 < logs["g_gradient_norm"] < 100  # unscaled: the scale is 32768
    before = [w.numpy() for w in gan.discriminator.trainable_variables]
    gan.reset_metrics()
    logs = gan.train_step(tf.fill(images[0].shape, np.inf))
    assert logs["d_gradient_norm"] == 0.0  # the mean over no step
    after = [w.numpy() for w in gan.discriminator.trainable_variables]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)
    assert float(gan.discriminator_optimizer.dynamic_scale) == 2.0**14


def test_accumulation_over_several_devices_is_refused(strategy):
    with strategy.scope():
        gan = GAN(
            networks.dcgan_generator(16, latent_dim=8, base_filters=4),
            networks.dcgan_discriminator(16, base_filters=4),
        )
        adams = [keras.optimizers.Adam(gradient_accumulation_steps=2) for _ in range(2)]
        with pytest.raises(UserError, match=r"one device.*2 devices"):
            gan.compile(*adams)


def test_one_optimizer_for_both_is_refused(make_gan):
    gan, optimizer = make_gan(), keras.optimizers.Adam()
    with pytest.raises(UserError, match="two optimizers"):
        gan.compile(optimizer, optimizer)


@pytest.mark.e2e
def test_accumulated_gradients_make_one_update_of_all(make_gan, images):
    rate, steps = 0.1, 3

    def optimizers(accumulated):
        return (
            keras.optimizers.SGD(rate, gradient_accumulation_steps=accumulated)
            for _ in range(2)
        )

    def values_of(gan):
        return [
            weight.numpy()
            for network in (gan.generator, gan.discriminator)
            for weight in network.trainable_variables
        ]

    gan = make_gan(generator={"normalization": "none"})
    gan.compile(*optimizers(steps))
    start = gan.get_weights()
    at_rest, averaged = values_of(gan), gan.ema_generator.get_weights()
    for index in range(steps):
        for before, now in zip(at_rest, values_of(gan), strict=True):
            np.testing.assert_array_equal(before, now)
        for before, now in zip(averaged, gan.ema_generator.get_weights(), strict=True):
            np.testing.assert_array_equal(before, now)
        gan.train_on_batch(images[0][5 * index : 5 * index + 5])
    accumulated = values_of(gan)
    moves = []
    for index in range(steps):
        single = make_gan(generator={"normalization": "none"})
        single.compile(*optimizers(None))
        single.set_weights(start)
        single.step.assign(index)
        single.train_on_batch(images[0][5 * index : 5 * index + 5])
        moves.append(
            [now - then for now, then in zip(values_of(single), at_rest, strict=True)]
        )
    for now, then, *changes in zip(accumulated, at_rest, *moves, strict=True):
        np.testing.assert_allclose(now, then + np.mean(changes, axis=0), atol=1e-6)
    decay = 0.1  # (1 + 0) / (10 + 0), of the first update
    for before, now, weight in zip(
        averaged, gan.ema_generator.get_weights(), gan.generator.weights, strict=True
    ):
        expected = before + (1 - decay) * (weight.numpy() - before)
        np.testing.assert_allclose(now, expected, atol=1e-6)


@pytest.mark.e2e
def test_accumulation_in_float16_and_from_a_recipe():
    from ganlab.config.resolve import complete
    from ganlab.config.settings import Recipe
    from ganlab.training.build import build_gan

    def moved(network, before):
        return [
            not np.array_equal(then, weight.numpy())
            for then, weight in zip(before, network.weights, strict=True)
            if weight.trainable
        ]

    keras.config.set_dtype_policy("mixed_float16")
    recipe = Recipe(gradient_accumulation_steps=2, recompute=True)
    gan = build_gan(complete(recipe, 16, 1), None)
    assert gan.recompute
    before = gan.generator.get_weights()
    pixels = np.zeros((8, 16, 16, 1), "float32")
    gan.train_on_batch(pixels)
    assert not any(moved(gan.generator, before))
    gan.train_on_batch(pixels)
    assert any(moved(gan.generator, before))


def adam(**options):
    return keras.optimizers.Adam(**options)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_both_learning_rates_follow_a_callback(build, data, policy):
    keras.config.set_dtype_policy(policy)
    gan = build()
    gan.compile(adam(learning_rate=0.01), adam(learning_rate=0.04))
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    logs = gan.fit(data, epochs=2, verbose=0, callbacks=[schedule]).history
    assert float(gan.generator_optimizer.learning_rate) == pytest.approx(0.0025)
    assert float(gan.discriminator_optimizer.learning_rate) == pytest.approx(0.01)
    assert logs["learning_rate_generator_adam"] == pytest.approx([0.005, 0.0025])
    assert logs["learning_rate_discriminator_adam"] == pytest.approx([0.02, 0.01])


def test_the_learning_rate_of_both_is_set_as_one(build):
    gan = build()
    gan.compile(adam(), adam(learning_rate=0.5))
    assert float(gan.optimizer.learning_rate) == pytest.approx(0.001)
    assert np.asarray(gan.optimizer.learning_rate) == pytest.approx(0.001)
    gan.optimizer.learning_rate = 0.25
    assert float(gan.discriminator_optimizer.learning_rate) == 0.25
    gan.optimizer.learning_rate.assign(0.125)
    assert float(gan.generator_optimizer.learning_rate) == 0.125
    assert float(gan.discriminator_optimizer.learning_rate) == 0.125


def test_gradients_for_both_as_one_are_refused(build):
    gan = build()
    with pytest.raises(UserError, match=r"call generator_optimizer.apply"):
        gan.optimizer.apply([], [])


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_both_networks_end_as_their_optimizers_averages(build, data, policy):
    keras.config.set_dtype_policy(policy)
    gan = build()
    gan.compile(adam(use_ema=True), adam(use_ema=True, ema_momentum=0.5))
    gan.fit(data, batch_size=8, epochs=2, verbose=0)
    for network, optimizer in zip(
        (gan.generator, gan.discriminator), gan.optimizer.optimizers, strict=True
    ):
        averages = [v for v in optimizer.variables if v.path.endswith("average")]
        for variable, average in zip(
            network.trainable_variables, averages, strict=True
        ):
            np.testing.assert_allclose(variable.numpy(), average.numpy(), rtol=1e-6)


@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_a_frozen_network_is_refused(build, role):
    gan = build()
    getattr(gan, role).trainable = False
    with pytest.raises(UserError, match=f"Expected a {role} that trains"):
        gan.compile("sgd", "sgd")


@pytest.mark.parametrize("start", [True, False])
def test_layers_frozen_or_unfrozen_after_compile_are_noticed(build, data, start):
    gan = build()
    gan.discriminator.layers[0].trainable = start
    gan.compile("sgd", "sgd")
    gan.fit(data, verbose=0)
    gan.discriminator.layers[0].trainable = not start
    for train in (lambda: gan.fit(data, verbose=0), lambda: gan.train_on_batch(data)):
        with pytest.raises(UserError, match="2 weights frozen or unfrozen since"):
            train()
    gan.compile("sgd", "sgd")
    gan.fit(data, verbose=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "adam"}, "Received: optimizer; pass generator_optimizer"),
        ({}, "two optimizers"),
        ({"generator_optimizer": "adam"}, "Received: 'adam' .str. and None"),
        ({"metrics": ["accuracy"]}, "metrics; use ganlab.callbacks"),
        ({"weighted_metrics": []}, "weighted_metrics; leave it out"),
    ],
)
def test_compile_tells_of_other_arguments(build, arguments, message):
    with pytest.raises(UserError, match=message):
        build().compile(**arguments)


@pytest.mark.parametrize("wrong", ["adamm", 0.001, keras.optimizers.Adam, lambda: 1])
def test_what_is_no_optimizer_is_refused(build, wrong):
    with pytest.raises(UserError, match="as the discriminator's. Received"):
        build().compile("adam", wrong)


def test_a_misspelt_argument_of_compile_is_named(build):
    with pytest.raises(UserError, match="regularizer; write regularizers"):
        build().compile("adam", "adam", regularizer="r1")


def test_optimizers_of_another_gan_are_refused(build):
    pair = keras.optimizers.Adam(), keras.optimizers.Adam()
    gan = build()
    gan.compile(*pair)
    gan.compile(*pair)  # again, for the same networks
    with pytest.raises(UserError, match="for the generator .*make new ones"):
        build().compile(*pair)
