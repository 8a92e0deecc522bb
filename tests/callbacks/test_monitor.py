"""One callback watches ganlab's GAN, and any other Keras model of two networks."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import ganlab
from ganlab import diagnosis
from ganlab.callbacks import Monitor
from ganlab.errors import UserError
from ganlab.runs import load_run

OFTEN = ganlab.Monitoring(
    log_every=2,
    sample_every=5,
    checkpoint_every=5,
    evaluate_every=5,
    evaluate_share=1.0,
    evaluate_images=16,
    features="pixels",
    probe_every=5,
    probe_share=1.0,
)


class PlainGAN(keras.Model):
    """As examples on the web train: fakes have the label 1, and losses are means."""

    def __init__(self, discriminator, generator, fake_label=1.0):
        super().__init__()
        self.discriminator, self.generator = discriminator, generator
        self.fake_label = fake_label

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer
        self.loss_fn = loss_fn
        self.d_mean = keras.metrics.Mean(name="d_loss")

    @property
    def metrics(self):
        return [self.d_mean]

    def train_step(self, real):
        ones = tf.ones((tf.shape(real)[0], 1))
        fakes, reals = self.fake_label * ones, (1.0 - self.fake_label) * ones
        latents = keras.random.normal((tf.shape(real)[0], 8), seed=0)
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator(latents, training=True)
            on_fake = self.discriminator(fake, training=True)
            on_real = self.discriminator(real, training=True)
            d_loss = self.loss_fn(fakes, on_fake) + self.loss_fn(reals, on_real)
            gen_loss = self.loss_fn(reals, on_fake)
        for loss, network, optimizer in (
            (d_loss, self.discriminator, self.d_optimizer),
            (gen_loss, self.generator, self.g_optimizer),
        ):
            weights = network.trainable_variables
            optimizer.apply(tape.gradient(loss, weights), weights)
        self.d_mean.update_state(d_loss)
        return {"d_loss": self.d_mean.result(), "gen_loss": gen_loss}


def networks(end="sigmoid"):
    generator = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(256, activation="sigmoid"),
            layers.Reshape((16, 16, 1)),
        ],
        name="generator",
    )
    discriminator = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.2, seed=1),
            layers.Dense(1, activation=end),
        ],
        name="discriminator",
    )
    return generator, discriminator


def plain_gan(end="sigmoid", **options):
    keras.utils.set_random_seed(0)
    generator, discriminator = networks(end)
    model = PlainGAN(discriminator, generator, **options)
    model.compile(
        keras.optimizers.Adam(1e-3),
        keras.optimizers.Adam(2e-3),
        keras.losses.BinaryCrossentropy(from_logits=end is None),
    )
    return model


@pytest.fixture
def images():
    """Forty pictures in [0, 1], darker than what a fresh generator draws."""
    rng = np.random.default_rng(0)
    return (0.2 * rng.random((40, 16, 16, 1))).astype(np.float32)


def fit_plain(model, images, callbacks, epochs=4):
    batches = tf.data.Dataset.from_tensor_slices(images).batch(8)
    model.fit(batches, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)


def small_gan():
    gan = ganlab.GAN(
        ganlab.networks.dcgan_generator(16, 1, base_filters=4),
        ganlab.networks.dcgan_discriminator(16, 1, base_filters=4),
    )
    gan.compile("adam", "adam")
    return gan


@pytest.mark.e2e
def test_a_gan_gets_all_that_a_run_has(tmp_path, noise, fit, read_rows):
    gan, folder = small_gan(), tmp_path / "run"
    fit(gan, [Monitor(folder, noise, monitoring=OFTEN)])
    keys = {key for row in read_rows(folder) for key in row}
    assert {"d_loss", "g_gradient_norm", "pairwise_ratio", "fid"} <= keys
    for name in (
        "config.json",
        "report.html",
        "quality.json",
        "checkpoints/best.keras",
        "checkpoints/step-0000010.keras",
        "samples/step-0000010.png",
        "tensorboard",
    ):
        assert (folder / name).exists(), name
    assert diagnosis.read(folder).settings["loss"] == "non_saturating"
    fit(gan, [Monitor(folder, noise, monitoring=OFTEN)])  # goes on
    assert diagnosis.read(folder).last_step == 20
    with pytest.raises(UserError, match="which a Monitor watched"):
        load_run(folder)


@pytest.mark.e2e
@pytest.mark.parametrize("end", ["sigmoid", None])
@pytest.mark.parametrize("fake_label", [0.0, 1.0])
def test_any_other_model_is_watched_whichever_side_is_real(
    tmp_path, images, read_rows, end, fake_label
):
    model, folder = plain_gan(end, fake_label=fake_label), tmp_path / "run"
    fit_plain(model, images, [Monitor(folder, images, monitoring=OFTEN)])
    log = diagnosis.read(folder)
    assert log.last_step == 20
    assert log.last("d_learning_rate") == pytest.approx(1e-3)
    assert log.last("g_learning_rate") == pytest.approx(2e-3)
    assert log.last("d_real") > log.last("d_fake")
    assert log.last("d_accuracy_fake") == 1.0
    assert len(log.get("g_loss")) == 10
    assert log.last("fid") is not None
    loaded = ganlab.load_gan(load_run(folder, watched=True).folder.find_checkpoint())
    samples, expected = loaded.sample(4), model.generator(ganlab.draw_latents(4, 8, 0))
    np.testing.assert_array_equal(samples, np.rint(255.0 * expected))


@pytest.mark.e2e
def test_losses_are_means_over_the_steps_between_logs(tmp_path, images):
    model, folder = plain_gan(), tmp_path / "run"
    seen = {"d": [], "g": []}

    class Record(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen["d"].append((batch, logs["d_loss"]))
            seen["g"].append(logs["gen_loss"])

    fit_plain(model, images, [Record(), Monitor(folder, monitoring=OFTEN)])
    single = [
        loss * (batch + 1) - (seen["d"][index - 1][1] * batch if batch else 0.0)
        for index, (batch, loss) in enumerate(seen["d"])
    ]
    log = diagnosis.read(folder)
    for name, losses in (("d_loss", single), ("g_loss", seen["g"])):
        expected = np.reshape(losses, (10, 2)).mean(axis=1)
        np.testing.assert_allclose(log.get(name).values, expected, rtol=1e-3)


@pytest.mark.e2e
def test_training_is_the_same_with_and_without(tmp_path, images):
    weights = []
    for callbacks in ([], [Monitor(tmp_path / "run", images, monitoring=OFTEN)]):
        model = plain_gan()
        fit_plain(model, images, callbacks)
        networks = (model.generator, model.discriminator)
        weights.append([w for network in networks for w in network.get_weights()])
    for without, watched in zip(*weights, strict=True):
        np.testing.assert_array_equal(without, watched)


class Critic(keras.Model):
    """As examples on the web train a Wasserstein GAN: losses are functions."""

    def __init__(self, discriminator, generator, steps):
        super().__init__()
        self.discriminator, self.generator, self.steps = discriminator, generator, steps

    def compile(self, d_optimizer, g_optimizer, d_loss_fn, g_loss_fn):
        super().compile()
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer
        self.d_loss_fn, self.g_loss_fn = d_loss_fn, g_loss_fn

    def draw(self, count):
        latents = keras.random.normal((count, 8), seed=0)
        return self.generator(latents, training=True)

    def train_step(self, real):
        count = tf.shape(real)[0]
        for _ in range(self.steps):
            with tf.GradientTape() as tape:
                on_fake = self.discriminator(self.draw(count), training=True)
                with tf.GradientTape() as inner:
                    inner.watch(real)
                    on_real = self.discriminator(real, training=True)
                slope = tf.norm(
                    tf.reshape(inner.gradient(on_real, real), (count, -1)), axis=1
                )
                d_loss = self.d_loss_fn(real_img=on_real, fake_img=on_fake)
                d_loss += 10.0 * tf.reduce_mean(tf.square(slope - 1.0))
            weights = self.discriminator.trainable_variables
            self.d_optimizer.apply_gradients(
                zip(tape.gradient(d_loss, weights), weights, strict=True)
            )
        with tf.GradientTape() as tape:
            g_loss = self.g_loss_fn(self.discriminator(self.draw(count), training=True))
        weights = self.generator.trainable_variables
        self.g_optimizer.apply_gradients(
            zip(tape.gradient(g_loss, weights), weights, strict=True)
        )
        return {"d_loss": d_loss, "g_loss": g_loss}


@pytest.mark.e2e
def test_a_critic_whose_losses_are_functions_is_watched(tmp_path, images):
    keras.utils.set_random_seed(0)
    generator, discriminator = networks(None)
    model = Critic(discriminator, generator, steps=3)
    model.compile(
        keras.optimizers.Adam(1e-3, beta_1=0.5),
        keras.optimizers.Adam(1e-3, beta_1=0.5),
        lambda real_img, fake_img: tf.reduce_mean(fake_img) - tf.reduce_mean(real_img),
        lambda fake_img: -tf.reduce_mean(fake_img),
    )
    fit_plain(model, images, [Monitor(tmp_path / "run", images, monitoring=OFTEN)])
    log = diagnosis.read(tmp_path / "run")
    assert log.settings["loss"] == "unknown"
    assert len(log.get("d_loss")) == len(log.get("g_loss")) == 10
    assert log.last("logit_real") > log.last("logit_fake")
    assert log.get("logit_slope") is not None
    assert log.get("d_accuracy_real") is None  # a critic's logits have no zero
    assert log.last("fid") is not None


@pytest.mark.e2e
def test_networks_that_make_no_gan_are_watched_by_their_losses(tmp_path, images):
    model = plain_gan()
    other = keras.Sequential([keras.Input((9, 9, 1)), layers.Flatten()])
    monitor = Monitor(tmp_path / "run", images, discriminator=other, monitoring=OFTEN)
    with pytest.warns(UserWarning, match="Only losses are watched"):
        fit_plain(model, images, [monitor])
    log = diagnosis.read(tmp_path / "run")
    assert log.get("d_loss") is not None
    assert log.get("pairwise_ratio") is None


@pytest.mark.e2e
def test_what_cannot_be_watched_is_refused_before_training(tmp_path, images):
    model = plain_gan()
    with pytest.raises(UserError, match=r"images of shape \(16, 16, 1\)"):
        fit_plain(model, images, [Monitor(tmp_path / "a", images[:, :8, :8])])
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "notes.txt").touch()
    with pytest.raises(UserError, match="holds something else"):
        fit_plain(model, images, [Monitor(tmp_path / "b", images)])
    fit_plain(model, images, [Monitor(tmp_path / "c", monitoring=OFTEN)], epochs=1)
    with pytest.raises(UserError, match="which holds a run"):
        fit_plain(plain_gan(), images, [Monitor(tmp_path / "c")])
    other = keras.Sequential([keras.Input((16, 16, 1)), layers.Flatten()])
    other.compile(loss="mse")
    with pytest.raises(UserError, match="Expected a model with a generator"):
        fit_plain(other, images, [Monitor(tmp_path / "d")])
    with pytest.raises(UserError, match="action on failure"):
        Monitor(tmp_path / "e", on_failure="rollback")


@pytest.mark.e2e
def test_a_loss_that_is_not_finite_leaves_a_report(tmp_path, images):
    model = plain_gan()
    model.loss_fn = lambda labels, outputs: tf.reduce_mean(outputs) * np.nan
    with pytest.raises(ganlab.errors.RunError, match="d_loss was nan at step 1"):
        fit_plain(model, images, [Monitor(tmp_path / "run", images, monitoring=OFTEN)])
    page = (tmp_path / "run" / "report.md").read_text()
    assert "Failing" in page


class StoppedGAN(PlainGAN):
    """Raises in its third step."""

    error = KeyboardInterrupt

    def train_step(self, real):
        if self.steps_begun == 2:
            raise self.error
        self.steps_begun += 1
        return super().train_step(real)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("error", "ending"),
    [(KeyboardInterrupt, "interrupted"), (MemoryError, "failed")],
    ids=["ctrl-c", "memory"],
)
def test_a_report_is_written_however_fit_ends(tmp_path, images, error, ending):
    model = StoppedGAN(*reversed(networks()))
    optimizers = keras.optimizers.Adam(), keras.optimizers.Adam()
    model.compile(*optimizers, keras.losses.BinaryCrossentropy())
    model.run_eagerly, model.steps_begun, model.error = True, 0, error
    with pytest.raises(error):
        fit_plain(model, images, [Monitor(tmp_path / "run", images, monitoring=OFTEN)])
    assert (tmp_path / "run" / "report.html").exists()
    rows = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert f'"event": "{ending}"' in rows[-1]
    train_function = model.train_function
    model.steps_begun = -100
    fit_plain(model, images, [])
    assert model.train_function is train_function


HOLD = """
import sys
from ganlab.files import locked_folder
with locked_folder(sys.argv[1]):
    print("holds", flush=True)
    sys.stdin.read()
"""


def plain(monitor, images, callbacks=()):
    fit_plain(plain_gan(), images, [monitor, *callbacks], epochs=1)


@pytest.mark.e2e
def test_two_scripts_do_not_watch_into_one_folder(tmp_path, images):
    folder = tmp_path / "run"
    folder.mkdir()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", HOLD, folder]
    with subprocess.Popen(command, **pipes) as other:
        assert other.stdout.readline() == "holds\n"
        with pytest.raises(UserError, match=f"held by process '{other.pid} on"):
            plain(Monitor(folder), images)
        other.kill()  # which leaves its lock
    plain(Monitor(folder), images)
    assert (folder / "report.html").exists()
    assert not list(folder.glob(".*"))
    with pytest.raises(UserError, match="holds a run; name another"):
        plain(Monitor(folder), images)
    assert not list(folder.glob(".*"))


@pytest.mark.e2e
def test_a_fit_that_another_callback_ended_is_gone_on_with(tmp_path, fit):
    class Failing(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise ZeroDivisionError

    gan = small_gan()
    with pytest.raises(ZeroDivisionError):
        fit(gan, [Monitor(tmp_path, monitoring=OFTEN), Failing()])
    fit(gan, [Monitor(tmp_path, monitoring=OFTEN)])
    assert (tmp_path / "report.html").exists()
    assert diagnosis.read(tmp_path).last_step == 10
    assert not list(tmp_path.glob(".*"))
    monitors = [Monitor(tmp_path), Monitor(tmp_path)]
    with pytest.raises(UserError, match=f"held by process '{os.getpid()} on"):
        fit(gan, monitors)
