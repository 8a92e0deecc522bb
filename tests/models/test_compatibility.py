"""Whether two networks fit together, and layers that they share."""

import keras
import numpy as np
import pytest
from keras import layers

from ganlab import GAN
from ganlab.errors import UserError
from ganlab.models import compatibility


def generator(*end, size=8, latents=4):
    return keras.Sequential([keras.Input((latents,)), layers.Dense(size), *end])


def discriminator(*middle, size=8):
    return keras.Sequential([keras.Input((size,)), *middle, layers.Dense(1)])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: GAN(generator(), discriminator(size=9)), r"to take what.*\(8,\)"),
        (lambda: GAN(layers.Dense(3), discriminator()), "keras.Model as generator"),
        (lambda: GAN(keras.Sequential, discriminator()), "keras.Model as generator"),
        (lambda: GAN(None, discriminator()), "keras.Model as generator"),
        (lambda: GAN(generator(), discriminator(), num_classes=3), "and a class"),
        (
            lambda: GAN(keras.Sequential([layers.Dense(8)]), discriminator()),
            "never called; start it with a keras.Input",
        ),
        (
            lambda: GAN(
                keras.Sequential(
                    [keras.Input((None, 8)), layers.GlobalAveragePooling1D()]
                ),
                discriminator(),
            ),
            "latents of a known shape",
        ),
        (lambda: GAN(two_outputs(), discriminator()), "one output"),
        (lambda: GAN(of_integers(), discriminator()), "latents that are floats"),
        (lambda: GAN(with_class(), discriminator()), "latents alone for num_classes"),
        (
            lambda: GAN(with_class(), with_class(), num_classes=3, packing=2),
            "no packing with classes",
        ),
        (
            lambda: GAN(with_class(), discriminator(), num_classes=3),
            "discriminator of images and a class",
        ),
        (lambda: GAN(generator(), with_class(8)), "discriminator of images for"),
        (lambda: GAN(generator(), joint()), "images alone. Received: one of 2 inputs"),
        (
            lambda: GAN(generator(), joint("target_image")),
            "images alone. Received: one of 2 inputs",
        ),
        (
            lambda: GAN(generator(), judging(*[layers.Dense(1)] * 3)),
            "of logits, or of .* one of 3 outputs",
        ),
        (
            lambda: GAN(with_class(), joint(), num_classes=3),
            "class as a number or one-hot, .*, 3.*'code' of shape .5,",
        ),
        (
            lambda: GAN(joint(), with_class(8), num_classes=3),
            "class as a number or one-hot, .*, 3.*'code' of shape .5,",
        ),
        (
            lambda: GAN(with_class(), two_outputs(8, 2), num_classes=3),
            "auxiliary classifier of num_classes=3",
        ),
    ],
)
def test_networks_that_do_not_fit(build, message):
    with pytest.raises(UserError, match=message):
        build()


def two_outputs(size=4, other=8):
    inputs = keras.Input((size,))
    return keras.Model(inputs, [layers.Dense(8)(inputs), layers.Dense(other)(inputs)])


def joint(name="code"):
    """Of two inputs, neither of which is a class."""
    inputs, code = keras.Input((8,)), keras.Input((5,), name=name)
    return keras.Model(
        [inputs, code], layers.Dense(8)(layers.Concatenate()([inputs, code]))
    )


def of_integers():
    words = keras.Input((4,), dtype="int32")
    return keras.Model(words, layers.Flatten()(layers.Embedding(9, 2)(words)))


def with_class(size=4):
    inputs, label = keras.Input((size,)), keras.Input((), dtype="int32", name="label")
    joined = layers.Concatenate()([inputs, layers.Embedding(3, 2)(label)])
    return keras.Model([inputs, label], layers.Dense(8)(joined))


def test_a_discriminator_of_any_size_and_one_that_is_not_built_fit():
    patches = keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(1, 3)])
    images = generator(layers.Reshape((4, 2, 1)))
    assert GAN(images, patches).image_shape == (4, 2, 1)
    unbuilt = keras.Sequential([layers.Dense(3), layers.Dense(1)])
    GAN(generator(), unbuilt)
    assert unbuilt.built


@pytest.mark.e2e
def test_a_layer_of_both_networks_is_still_one_after_loading(tmp_path):
    dense = layers.Dense(8, name="both")
    gan = GAN(generator(dense), discriminator(dense))
    gan.compile("adam", "adam")
    data = np.random.default_rng(0).standard_normal((32, 8)).astype("float32")
    gan.fit(data, batch_size=8, verbose=0, shuffle=False)
    assert compatibility.shared_layers(gan.generator, gan.discriminator) == ["both"]
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert loaded.generator.get_layer("both") is loaded.discriminator.get_layer("both")
    for model in (gan, loaded):
        model.fit(data, batch_size=8, verbose=0, shuffle=False)
    for weight, other in zip(gan.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-5, atol=1e-6)


def test_a_gan_of_an_earlier_clone_is_refused_in_one_line():
    config = GAN(generator(), discriminator()).get_config()
    del config["shared_layers"]
    with pytest.raises(UserError, match="an earlier clone saved; train it again"):
        GAN.from_config(config)


def test_a_layer_shared_deep_inside_is_refused():
    dense = layers.Dense(8)
    inside = keras.Sequential([keras.Input((8,)), dense])
    with pytest.raises(UserError, match="in a network inside one"):
        GAN(generator(inside), discriminator(dense))


def test_a_discriminator_of_probabilities_is_warned_of():
    gan = GAN(generator(), discriminator(layers.Dense(1), layers.Activation("sigmoid")))
    gan.compile("adam", "adam")  # not its last layer
    judge = keras.Sequential([keras.Input((8,)), layers.Dense(1, "sigmoid")])
    gan = GAN(generator(), judge)
    for loss in ("hinge", "non_saturating", "bce", "relativistic"):
        with pytest.warns(UserWarning, match="ends on a sigmoid; end it on Dense"):
            gan.compile("adam", "adam", loss=loss)
    for loss in ("least_squares", "mse"):
        gan.compile("adam", "adam", loss=loss)


def judging(*outputs):
    images = keras.Input((8,))
    return keras.Model(images, [end(images) for end in outputs])


@pytest.mark.parametrize(
    "end",
    [
        lambda: layers.Dense(3, "softmax"),
        lambda: keras.Sequential([layers.Dense(3), layers.Activation("softmax")]),
        lambda: keras.Sequential([layers.Dense(3), layers.Softmax()]),
    ],
)
def test_a_classifier_of_probabilities_is_warned_of(end):
    gan = GAN(with_class(), judging(layers.Dense(1), end()), num_classes=3)
    with pytest.warns(UserWarning, match="raw class logits .* softmax; end it on"):
        gan.compile("adam", "adam", loss="mse")
    gan = GAN(with_class(), judging(layers.Dense(1), layers.Dense(3)), num_classes=3)
    gan.compile("adam", "adam")  # warns of nothing


@pytest.mark.e2e
@pytest.mark.parametrize("shape", [(1,), (3,), ()])
def test_a_discriminator_may_take_the_class_before_the_images(shape):
    label, images = keras.Input(shape), keras.Input((8,))
    flat = layers.Concatenate()([images, layers.Reshape((-1,))(label)])
    judge = keras.Model([label, images], layers.Dense(1)(flat))
    gan = GAN(with_class(), judge, num_classes=3)
    gan.compile("adam", "adam")
    data, classes = np.ones((6, 8), np.float32), np.arange(6) % 3
    history = gan.fit(data, classes, batch_size=4, verbose=0).history
    assert np.isfinite(history["d_loss"]).all()


def test_networks_compiled_by_themselves_are_saved_without_that(tmp_path):
    judge = discriminator()
    judge.compile("adam", "binary_crossentropy")
    gan = GAN(generator(), judge)
    gan.compile("adam", "adam")
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert loaded.compiled
    assert not loaded.discriminator.compiled
    np.testing.assert_array_equal(loaded.sample(3), gan.sample(3))


class Late(layers.Layer):
    """Tells its output's shape, so that Keras builds its sublayer when it is called."""

    def __init__(self, **options):
        super().__init__(**options)
        self.dense = layers.Dense(8)

    def build(self, shape):
        self.built = True

    def call(self, inputs):
        return self.dense(inputs)

    def compute_output_shape(self, shape):
        return (*shape[:-1], 8)


@pytest.mark.e2e
def test_layers_that_are_built_when_called_train_and_load(tmp_path):
    gan = GAN(generator(Late()), discriminator(Late()))
    gan.compile("adam", "adam")
    before = [weights.copy() for weights in gan.generator.get_weights()]
    gan.fit(np.ones((6, 8), np.float32), verbose=0)
    assert len(before) == 4
    assert not np.array_equal(gan.generator.get_weights()[2], before[2])
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(
        tmp_path / "gan.keras", custom_objects={"Late": Late}
    )
    np.testing.assert_array_equal(loaded.sample(3), gan.sample(3))


def test_networks_made_outside_the_strategy_are_refused(strategy):
    with strategy.scope(), pytest.raises(UserError, match="weights made outside"):
        GAN(*OUTSIDE)
    with strategy.scope():
        GAN(generator(), discriminator())


OUTSIDE = generator(), discriminator()


def test_logits_of_several_scales_are_joined_first(build):
    values = keras.Input((8,))
    scales = [keras.layers.Dense(1)(values) for _ in range(2)]
    with pytest.raises(UserError, match="one of 2 outputs; .*Concatenate"):
        GAN(build().generator, keras.Model(values, scales))
