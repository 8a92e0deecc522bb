"""The first batch of `fit`, `evaluate` and the steps by hand is checked in words."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganlab import GAN
from ganlab.errors import UserError
from ganlab.models import first_batch

SIZE = 4
DRAWS = np.random.default_rng(0)
IMAGES = DRAWS.uniform(-1, 1, (16, SIZE, SIZE, 1)).astype("float32")
IMAGES[0, 0, 0], IMAGES[0, 0, 1] = -1.0, 1.0
LABELS = np.arange(16) % 3


def gan_of(
    activation="tanh",
    num_classes=None,
    shape=(SIZE, SIZE, 1),
    packing=1,
    output_range=None,
    **compiled,
):
    """A compiled GAN of dense layers."""
    latents = keras.Input((2,))
    images = keras.Input((*shape[:-1], shape[-1] * packing))
    noise, joined = latents, layers.Flatten()(images)
    labels = []
    if num_classes is not None:
        labels = [keras.Input((), dtype="int32")]
        noise, joined = (
            layers.Concatenate()([x, layers.Embedding(num_classes, 2)(labels[0])])
            for x in (noise, joined)
        )
    flat = layers.Dense(int(np.prod(shape)), activation=activation)(noise)
    gan = GAN(
        keras.Model([latents, *labels], layers.Reshape(shape)(flat)),
        keras.Model([images, *labels], layers.Dense(1)(joined)),
        num_classes=num_classes,
        packing=packing,
        output_range=output_range,
    )
    gan.compile("adam", "adam", **compiled)
    return gan


def weights_of(gan):
    return [weight.numpy() for weight in gan.weights]


UNIT = (IMAGES + 1) / 2
BYTES = np.round(UNIT * 255)
NOISY = 1.1 * IMAGES
STANDARD = 2.6 * IMAGES


def with_bad(value):
    images = IMAGES.copy()
    images[[2, 5, 7], 0, 0, 0] = value
    return images


# activation, images, what is said
REFUSED = {
    "bytes for tanh": ("tanh", BYTES, r"[-1, 1], the generator's range. Received: "),
    "their fix": ("tanh", BYTES, "in [0, 255]; scale them: x / 127.5 - 1"),
    "unit for tanh": ("tanh", UNIT, "[0, 1]; scale them: x * 2 - 1, or, if meant,"),
    "bytes for sigmoid": ("sigmoid", BYTES, "[0, 255]; scale them: x / 255"),
    "symmetric for sigmoid": ("sigmoid", IMAGES, "[-1, 1]; scale them: x / 2 + 0.5"),
    "standardised": ("tanh", STANDARD, "[-2.6, 2.6]; scale them to [-1, 1]"),
    "centred bytes": ("tanh", BYTES - 128, "scale them to [-1, 1]"),
    "NaN": ("tanh", with_bad(np.nan), "NaN or infinity in 3 of 16 images"),
    "infinity": (None, with_bad(-np.inf), "NaN or infinity in 3 of 16 images"),
}
WARNED = {
    "noise": ("tanh", NOISY, "cannot leave. Received: values in [-1.1, 1.1]"),
    "bytes without bound": (None, BYTES, "GAN(..., output_range=(0.0, 255.0))"),
    "unit without bound": (None, UNIT, "GAN(..., output_range=(0.0, 1.0))"),
    "other without bound": (None, STANDARD, "output_range=(-2.6, 2.6)"),
}
ACCEPTED = {
    "symmetric": ("tanh", IMAGES),
    "overshoot": ("tanh", 1.01 * IMAGES),
    "unit": ("sigmoid", UNIT),
    "dark": ("sigmoid", 0.1 * UNIT),
    "nearly white": ("tanh", 0.6 + 0.2 * UNIT),
    "white": ("tanh", np.ones_like(IMAGES)),
    "low contrast": ("tanh", 0.3 * IMAGES),
    "black": ("tanh", -np.ones_like(IMAGES)),
    "black in unit": ("sigmoid", np.zeros_like(IMAGES)),
    "without bound": (None, IMAGES),
    "noise without bound": (None, NOISY),
    "uint8": ("tanh", BYTES.astype("uint8")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_images_that_the_generator_cannot_make_are_refused(case):
    activation, images, message = REFUSED[case]
    with pytest.raises(UserError, match=re.escape(message)):
        first_batch.check(gan_of(activation), images)


@pytest.mark.parametrize("case", WARNED)
def test_images_that_may_be_meant_are_warned_of(case):
    activation, images, message = WARNED[case]
    with pytest.warns(UserWarning, match=re.escape(message)):
        first_batch.check(gan_of(activation), images)


@pytest.mark.parametrize("case", ACCEPTED)
def test_other_images_raise_no_alarm(case):
    activation, images = ACCEPTED[case]
    first_batch.check(gan_of(activation), images)


def test_a_stated_range_decides():
    first_batch.check(gan_of("tanh", output_range=(-1, 1)), UNIT)
    first_batch.check(gan_of(None, output_range=(0, 255)), BYTES)
    with pytest.raises(UserError, match=re.escape("scale them to [0, 255]")):
        first_batch.check(gan_of(None, output_range=(0, 255)), 100 * IMAGES)


def test_small_values_for_a_generator_of_bytes_are_refused():
    gan = gan_of("sigmoid")
    scaled = layers.Rescaling(255.0)(gan.generator.output)
    gan = GAN(keras.Model(gan.generator.input, scaled), gan.discriminator)
    first_batch.check(gan, BYTES)
    with pytest.raises(UserError, match=re.escape("scale them: x * 255")):
        first_batch.check(gan, UNIT)


def test_samples_that_are_no_images_may_lie_anywhere():
    points = 5.0 * DRAWS.normal(size=(16, 2)).astype("float32")
    first_batch.check(gan_of(None, shape=(2,)), points)
    first_batch.check(gan_of("tanh", shape=(2,)), np.abs(np.tanh(points)))
    with pytest.warns(UserWarning, match="cannot leave"):
        first_batch.check(gan_of("tanh", shape=(2,)), points)


ONE_HOT = np.eye(3)[LABELS]
WRONG_LABELS = {
    "from 1": (LABELS + 1, "Received: labels from 1 to 3; subtract 1"),
    "from 1, few": (np.full(16, 3), "Received: the label 3; subtract 1"),
    "unlabelled": (LABELS - 1, "from -1 to 1; leave out the images that -1 marks"),
    "more classes": (LABELS * 2, "from 0 to 4; build both networks and the GAN with n"),
    "negative": (LABELS - 5, "from -5 to -3; number the classes from 0"),
    "probabilities": (LABELS / 2, "or one-hot rows. Received: 0.5; pass one class"),
    "NaN": (np.where(LABELS == 1, np.nan, LABELS), "Received: nan; pass one class"),
    "soft": (0.9 * ONE_HOT, "Received: other rows; pass one class"),
    "many-hot": (np.ones((16, 3)), "Received: other rows; pass one class"),
    "no class": (0 * ONE_HOT, "Received: other rows; pass one class"),
    "column from 1": (LABELS[:, None] + 1, "labels from 1 to 3; subtract 1"),
    "too few": (LABELS[:-1], "Received: 16 images and 15 labels; pass as many"),
    "missing": (None, "Received: images alone"),
    "strings": (np.array(["cat"] * 16), "Received: strings"),
    "images": (IMAGES, "one-hot (n, 3). Received: (16, 4, 4, 1)"),
}


@pytest.mark.parametrize("case", WRONG_LABELS)
def test_wrong_labels_are_refused(case):
    labels, message = WRONG_LABELS[case]
    with pytest.raises(UserError, match=re.escape(message)):
        first_batch.check(gan_of(num_classes=3), (IMAGES, labels))


def test_labels_that_are_not_used_are_warned_of():
    with pytest.warns(UserWarning, match="labels too; they are not used"):
        first_batch.check(gan_of(), (IMAGES, LABELS))


class Sequence(keras.utils.PyDataset):
    def __init__(self, arrays):
        super().__init__()
        self.arrays = arrays

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return tuple(array[8 * index : 8 * index + 8] for array in self.arrays)


def generator(arrays):
    while True:
        yield tuple(array[:8] for array in arrays)


def dataset(arrays):
    return tf.data.Dataset.from_tensor_slices(arrays).batch(8)


WAYS = {
    "fit arrays": lambda gan, data: gan.fit(*data, batch_size=8, verbose=0),
    "fit tensors": lambda gan, data: gan.fit(
        *map(tf.constant, data), batch_size=8, verbose=0
    ),
    "fit a tuple": lambda gan, data: gan.fit(data, batch_size=8, verbose=0),
    "fit a data set": lambda gan, data: gan.fit(
        dataset(data), shuffle=False, verbose=0
    ),
    "fit a generator": lambda gan, data: gan.fit(
        generator(data), steps_per_epoch=2, shuffle=False, verbose=0
    ),
    "fit a sequence": lambda gan, data: gan.fit(Sequence(data), verbose=0),
    "evaluate": lambda gan, data: gan.evaluate(*data, batch_size=8, verbose=0),
    "evaluate a data set": lambda gan, data: gan.evaluate(dataset(data), verbose=0),
    "train on a batch": lambda gan, data: gan.train_on_batch(*data),
    "test on a batch": lambda gan, data: gan.test_on_batch(*data),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_is_checked_before_anything_moves(way):
    gan = gan_of(num_classes=3)
    before = weights_of(gan)
    for images, labels, message in (
        (BYTES, LABELS, "127.5"),
        (IMAGES[..., :0], LABELS, "channel"),
        (IMAGES, LABELS + 1, "subtract 1"),
    ):
        with pytest.raises(UserError, match=message) as raised:
            WAYS[way](gan, (images, labels))
        assert "\n" not in str(raised.value)
        assert raised.value.__cause__ is None
    for a, b in zip(before, weights_of(gan), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.e2e
@pytest.mark.parametrize("way", WAYS)
def test_every_way_takes_what_can_be_read(way):
    gan = gan_of(num_classes=3, run_eagerly=True)
    WAYS[way](gan, (BYTES.astype("uint8")[..., 0], np.eye(3)[LABELS]))
    steps = 0 if way.startswith(("evaluate", "test")) else 2
    assert gan.step == (1 if way == "train on a batch" else steps)


@pytest.mark.e2e
@pytest.mark.parametrize("options", [{}, {"steps_per_execution": 3}], ids=str)
@pytest.mark.parametrize("shuffled", [False, True])
def test_the_first_batch_is_trained_on_like_any_other(options, shuffled):
    """Four batches, of 5, 5, 5 and 1, an epoch."""
    seen = []

    class Noting(GAN):
        def train_step(self, data):
            tf.py_function(lambda x: seen.append(x.numpy()), [data], [])
            self.step.assign_add(1)
            return {"d_loss": tf.zeros(())}

    gan = gan_of()
    gan = Noting(gan.generator, gan.discriminator)
    gan.compile("adam", "adam", **options)
    gan.fit(IMAGES, batch_size=5, epochs=2, shuffle=shuffled, verbose=0)
    assert [len(batch) for batch in seen] == 2 * [5, 5, 5, 1]
    for epoch in (seen[:4], seen[4:]):
        images = np.concatenate(epoch)
        if shuffled:
            images, expected = (np.sort(x.sum((1, 2, 3))) for x in (images, IMAGES))
        else:
            expected = IMAGES
        np.testing.assert_array_equal(images, expected)
    assert gan.step == 8


def test_a_step_is_traced_once():
    traces = []

    class Counting(GAN):
        def train_step(self, data):
            traces.append(data.shape)
            return {"d_loss": tf.zeros(())}

    gan = gan_of()
    gan = Counting(gan.generator, gan.discriminator)
    gan.compile("adam", "adam")
    for _ in range(2):
        gan.fit(IMAGES, batch_size=5, verbose=0)
    assert len(traces) == 1


@pytest.mark.e2e
def test_later_labels_beyond_the_classes_are_refused_too():
    gan = gan_of(num_classes=3)
    labels = np.where(np.arange(16) < 8, LABELS, 7)
    with pytest.raises(UserError, match=r"the label 7; build") as raised:
        gan.fit(IMAGES, labels, batch_size=8, shuffle=False, verbose=0)
    assert "\n" not in str(raised.value)
    gan.run_eagerly = True
    gan.make_train_function(force=True)
    with pytest.raises(UserError, match="the label 7"):
        gan.fit(IMAGES, labels, batch_size=8, shuffle=False, verbose=0)


def test_every_fit_checks_anew_and_evaluation_too():
    gan = gan_of(run_eagerly=True)
    gan.fit(IMAGES, validation_split=0.5, verbose=0)
    with pytest.raises(UserError, match="127.5"):
        gan.fit(IMAGES, validation_data=(BYTES,), verbose=0)
    with pytest.raises(UserError, match="127.5"):
        gan.fit(BYTES, verbose=0)


@pytest.mark.e2e
@pytest.mark.parametrize("options", [{"discriminator_steps": 3}, {"packing": 3}])
def test_what_makes_no_whole_group_is_cut(options):
    gan = gan_of(**options)
    history = gan.fit(IMAGES, batch_size=5, validation_data=(IMAGES,), verbose=0)
    assert gan.step == 4  # of 5, 5, 5 and 1
    assert all(np.isfinite(values).all() for values in history.history.values())
    for images in (IMAGES[:7], IMAGES[:5]):
        assert np.isfinite(gan.train_on_batch(images)).all()
        assert np.isfinite(gan.test_on_batch(images)).all()


def test_a_batch_without_one_group_is_refused():
    gan = gan_of(discriminator_steps=2, packing=2)
    with pytest.raises(UserError, match=r"of 4 images or more.*a batch of 3"):
        gan.fit(IMAGES, batch_size=3, verbose=0)
    with pytest.raises(UserError, match=r"of 2 images or more.*a batch of 1"):
        gan.evaluate(IMAGES, batch_size=1, verbose=0)


@pytest.mark.parametrize(
    ("name", "weights"), [("sample_weight", np.ones(16)), ("class_weight", {0: 2.0})]
)
def test_weights_are_refused_everywhere(name, weights):
    gan, option = gan_of(num_classes=3), {name: weights}
    with pytest.raises(UserError, match=name):
        gan.fit(IMAGES, LABELS, verbose=0, **option)
    with pytest.raises(UserError, match=name):
        gan.train_on_batch(IMAGES, LABELS, **option)
    with pytest.raises(UserError, match=name):
        gan_of().fit(IMAGES, verbose=0, **option)
    if name == "sample_weight":
        weighted = dataset((IMAGES, LABELS, np.ones(16)))
        with pytest.raises(UserError, match=name):
            gan.evaluate(IMAGES, LABELS, verbose=0, **option)
        with pytest.raises(UserError, match=name):
            gan.fit(weighted, shuffle=False, verbose=0)


@pytest.mark.e2e
def test_compiled_by_xla_the_check_is_the_same():
    gan = gan_of(num_classes=3, jit_compile=True)
    gan.fit(IMAGES, LABELS, batch_size=8, verbose=0)
    with pytest.raises(UserError, match="subtract 1"):
        gan.fit(IMAGES, LABELS + 1, batch_size=8, verbose=0)


@pytest.mark.e2e
def test_replicas_are_checked_and_trained(strategy):
    with strategy.scope():
        gan = gan_of(num_classes=3)
    gan.fit(IMAGES, LABELS, batch_size=6, verbose=0)
    assert gan.step.numpy() == 3
    with pytest.raises(UserError, match="127.5"):
        gan.fit(BYTES, LABELS, batch_size=6, verbose=0)
    images = IMAGES.copy()
    images[5] = np.nan  # the second replica's
    with pytest.raises(UserError, match=r"1 of 3 images"):
        gan.fit(images, LABELS, batch_size=6, shuffle=False, verbose=0)
    gan.steps_per_execution = 2
    with pytest.raises(UserError, match="steps_per_execution=1 on 2 devices"):
        gan.fit(IMAGES, LABELS, verbose=0)


@pytest.mark.e2e
def test_a_last_batch_smaller_than_the_replicas_trains_all_of_them(strategy):
    with strategy.scope():
        gan = gan_of(num_classes=3, discriminator_steps=2)
    history = gan.fit(
        IMAGES[:13],
        LABELS[:13],
        batch_size=12,
        validation_data=(IMAGES[:9], LABELS[:9]),
        validation_batch_size=8,
        verbose=0,
    )
    assert gan.step.numpy() == 2
    assert all(np.isfinite(values).all() for values in history.history.values())


@pytest.mark.e2e
def test_a_saved_model_is_checked_and_holds_no_state_of_it(tmp_path):
    gan = gan_of()
    gan.fit(IMAGES, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert len(loaded.variables) == len(gan.variables)
    with pytest.raises(UserError, match="127.5"):
        loaded.fit(BYTES, verbose=0)
