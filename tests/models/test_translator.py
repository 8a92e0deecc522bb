"""Do translators follow their losses' gradients, and keep what GANs keep?"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlab import Translator, UserError, networks

SIZE = 16
ONE_QUICK = [
    "paired",
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("cycle", "contrastive")),
]


def generator(channels=3, source_channels=3, image_size=SIZE, name="generator"):
    return networks.resnet_translator(
        image_size,
        channels,
        source_channels=source_channels,
        base_filters=4,
        num_blocks=2,
        name=name,
    )


def discriminator(channels=3, source_channels=0, image_size=SIZE, name="judge"):
    return networks.patch_discriminator(
        image_size,
        channels,
        source_channels=source_channels,
        base_filters=4,
        stages=1,
        name=name,
    )


def build(
    training="paired",
    image_size=SIZE,
    optimizer=keras.optimizers.SGD,
    channels=2,
    **options,
):
    """A translator from some channels to 3, compiled."""
    channels = 3 if training == "contrastive" else channels
    keras.utils.set_random_seed(2)
    judged = channels if training == "paired" else 0
    inverse = {}
    if training == "cycle":
        inverse = {
            "inverse_generator": generator(channels, 3, image_size, "inverse"),
            "inverse_discriminator": discriminator(
                channels, 0, image_size, "inverse_judge"
            ),
        }
    translator = Translator(
        generator(3, channels, image_size),
        discriminator(3, judged, image_size),
        training=training,
        **inverse,
    )
    translator.compile(optimizer(0.01), optimizer(0.01), **options)
    return translator


def make_pairs(count=4, channels=2):
    numbers = np.random.default_rng(0)
    size = SIZE
    sources = numbers.uniform(-1, 1, (count, size, size, channels)).astype("float32")
    images = numbers.uniform(-1, 1, (count, size, size, 3)).astype("float32")
    return sources, images


def losses_by_hand(translator, sources, images):
    """`L_G` and `L_D` of least squares, written down from the papers."""
    make, judge = translator.generator, translator.image_discriminator
    fake = make(sources, training=True)

    def distance(one, other):
        return tf.reduce_mean(tf.abs(one - other))

    def players(judge, real, fake):
        real, fake = (judge(x, training=True) for x in (real, fake))
        as_real = tf.reduce_mean(tf.square(fake - 1.0))
        both = tf.reduce_mean(tf.square(real - 1.0)) + tf.reduce_mean(tf.square(fake))
        return 0.5 * as_real, 0.5 * both

    if translator.training == "paired":
        real, fakes = (tf.concat([sources, x], -1) for x in (images, fake))
        loss_g, loss_d = players(judge, real, fakes)
        return loss_g + 100.0 * distance(images, fake), loss_d
    back = translator.inverse_generator
    fake_source = back(images, training=True)
    loss_g, loss_d = players(judge, images, fake)
    others = players(translator.inverse_discriminator, sources, fake_source)
    cycle = distance(sources, back(fake)) + distance(images, make(fake_source))
    return (loss_g + others[0]) / 2 + 10.0 * cycle, (loss_d + others[1]) / 2


@pytest.mark.e2e
@pytest.mark.parametrize("training", ["paired", "cycle"])
def test_a_step_descends_the_papers_losses(training):
    translator = build(training)
    sources, images = make_pairs()
    players = {
        "g": translator.trained_generator.trainable_variables,
        "d": translator.discriminator.trainable_variables,
    }
    with tf.GradientTape(persistent=True) as tape:
        loss_g, loss_d = losses_by_hand(translator, sources, images)
    expected = {
        key: [
            variable.numpy() - 0.01 * gradient.numpy()
            for variable, gradient in zip(
                players[key], tape.gradient(loss, players[key]), strict=True
            )
        ]
        for key, loss in (("g", loss_g), ("d", loss_d))
    }
    logs = translator.train_on_batch(sources, images, return_dict=True)
    for key in players:
        for variable, value in zip(players[key], expected[key], strict=True):
            np.testing.assert_allclose(variable.numpy(), value, rtol=2e-4, atol=2e-6)
    assert float(logs["loss"]) == pytest.approx(float(loss_g + loss_d), rel=1e-5)


@pytest.mark.e2e
def test_identity_and_contrast_are_part_of_the_loss():
    for training, name in (("cycle", "identity"), ("contrastive", "contrast")):
        pairs = make_pairs(channels=3)
        logs = build(training, channels=3, run_eagerly=True).train_on_batch(
            *pairs, return_dict=True
        )
        without = {"identity": 0.0} if name == "identity" else {"contrast": 0.5}
        less = build(training, channels=3, loss_weights=without, run_eagerly=True)
        less = less.train_on_batch(*pairs, return_dict=True)
        weight = 5.0 if name == "identity" else 0.5
        difference = float(logs["loss"]) - float(less["loss"])
        assert difference == pytest.approx(weight * float(logs[f"g_{name}"]), rel=1e-4)


@pytest.mark.e2e
@pytest.mark.parametrize("training", ONE_QUICK)
def test_a_saved_translator_goes_on_where_it_was(training, tmp_path):
    pairs = make_pairs(channels=3 if training == "contrastive" else 2)
    whole, part = (
        build(training, optimizer=keras.optimizers.Adam, run_eagerly=True)
        for _ in range(2)
    )
    for _ in range(4):
        whole.train_on_batch(*pairs)
    for _ in range(2):
        part.train_on_batch(*pairs)
    part.save(tmp_path / "part.keras")
    loaded = keras.models.load_model(tmp_path / "part.keras")
    for _ in range(2):
        loaded.train_on_batch(*pairs)
    for expected, value in zip(whole.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(expected.numpy(), value.numpy())


@pytest.mark.e2e
@pytest.mark.parametrize("training", ["paired", "contrastive"])
def test_networks_of_any_size_translate_any_size(training):
    translator = build(training, image_size=None, channels=3)
    translator.fit(*make_pairs(channels=3), batch_size=2, verbose=0)
    made = translator.translate(np.full((1, 24, 32, 3), 100, "uint8"))
    assert made.shape == (1, 24, 32, 3)
    assert made.dtype == np.uint8


def test_pairs_are_augmented_alike():
    translator = build("paired", augmentation="diffaugment")
    images = np.random.default_rng(0).uniform(-1, 1, (4, SIZE, SIZE, 1))
    seen = translator.perturb(tf.constant(np.tile(images, 5), "float32"), 0, 0).numpy()
    moved = [np.ptp(seen[..., channel], axis=(1, 2)) for channel in (0, 2)]
    assert not np.allclose(seen[..., :1], images, atol=1e-3)
    holes = [seen[..., channel] == 0.0 for channel in (0, 2)]
    assert holes[0].any()
    np.testing.assert_array_equal(*holes)
    assert (moved[0] > 0).all()


def test_pairs_are_learnt():
    sources = np.random.default_rng(0).choice([-0.8, 0.8], (8, 4, 4, 2))
    sources = np.kron(sources, np.ones((1, 4, 4, 1))).astype("float32")
    images = -sources[..., [0, 1, 0]]
    translator = build("paired", optimizer=lambda rate: keras.optimizers.Adam(rate))
    translator.ema_decay = 0.5
    history = translator.fit(
        sources, images, batch_size=8, epochs=80, shuffle=False, verbose=0
    ).history["g_reconstruction"]
    assert history[-1] < 0.3 * history[0]
    logs = translator.evaluate(sources, images, return_dict=True, verbose=0)
    assert logs["g_reconstruction"] < 0.4 * history[0]


def test_a_data_set_of_pairs_or_dictionaries_is_read():
    sources, images = make_pairs()
    pairs = tf.data.Dataset.from_tensor_slices((sources, images)).batch(2)
    named = pairs.map(lambda one, other: {"sources": one, "images": other})
    logs = [
        build().fit(data, shuffle=False, verbose=0).history["g_loss"]
        for data in (pairs, named)
    ]
    assert logs[0] == logs[1]


def test_the_generator_is_exported(tmp_path):
    translator = build(image_size=None)
    sources, _ = make_pairs(2)
    translator.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "model")
    served = loaded.serve(sources)
    np.testing.assert_allclose(
        served, translator.predict(sources, verbose=0), atol=1e-5
    )


@pytest.mark.parametrize("training", ONE_QUICK)
def test_half_precision_trains(training):
    keras.config.set_dtype_policy("mixed_bfloat16")
    translator = build(training, channels=3)
    logs = translator.train_on_batch(*make_pairs(channels=3), return_dict=True)
    assert np.isfinite(float(logs["loss"]))


def test_critic_steps_cut_the_batch():
    translator = build(discriminator_steps=2, regularizers="r1", recompute=True)
    logs = translator.train_on_batch(*make_pairs(4), return_dict=True)
    assert np.isfinite(float(logs["loss"]))
    with pytest.raises(UserError, match="batches of 2 pairs or more"):
        build(discriminator_steps=2).fit(*make_pairs(1), verbose=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training": "pairs"}, "Unknown training 'pairs'|training"),
        ({"training": "cycle"}, "keras.Model as inverse_generator"),
        ({"inverse_generator": True}, "with training='cycle' alone"),
        ({"training": "contrastive"}, "as many channels"),
    ],
    ids=str,
)
def test_networks_that_do_not_fit_are_refused(change, message):
    with pytest.raises(UserError, match=message):
        Translator(generator(3, 2), discriminator(3, 2), **change)


def test_weights_that_the_training_has_not_are_refused():
    for weights, message in (
        ({"cycle": 1.0}, "cycle"),
        ({"reconstruction": -1.0}, "0 or more"),
        ({"reconstruction": "much"}, "0 or more"),
        ([1.0], "as a dict"),
    ):
        with pytest.raises(UserError, match=message):
            build(loss_weights=weights)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lambda sources, images: (sources, None), "batches of .sources, images."),
        (lambda sources, images: (images, sources), "images of shape"),
        (lambda sources, images: (sources, images * 100.0), "images in"),
        (lambda sources, images: (sources, images[:2]), "as many|Data cardinality"),
    ],
    ids=["one part", "swapped", "range", "counts"],
)
def test_batches_that_teach_nothing_are_refused(data, message):
    with pytest.raises((UserError, ValueError), match=message):
        build().fit(*data(*make_pairs()), verbose=0)


def test_an_unknown_network_layer_has_one_line():
    with pytest.raises(UserError, match="feature_layers"):
        Translator(
            generator(3, 3),
            discriminator(3, 0),
            training="contrastive",
            feature_layers=["nothing"],
        )


def test_identity_needs_equal_channels():
    assert "identity" not in build("cycle").loss_weights
    with pytest.raises(UserError, match="identity"):
        build("cycle", loss_weights={"identity": 1.0})
