"""A checkpoint becomes the GAN that it was saved from."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

from ganlab import GAN, networks, regularizers
from ganlab.errors import UserError
from ganlab.models.saving import load_gan
from ganlab.objectives.schedules import ScheduledAdam

LATENTS, SIZE = 6, 8


@pytest.mark.e2e
def test_a_checkpoint_is_loaded_compiled(make_gan, images, tmp_path):
    gan = make_gan()
    gan.train_on_batch(images[0])
    gan.save(tmp_path / "step-0000001.keras")
    loaded = load_gan(tmp_path / "step-0000001.keras")
    assert loaded.step == 1
    assert loaded.generator_optimizer.iterations == 1
    np.testing.assert_array_equal(loaded.sample(4), gan.sample(4))


@keras.saving.register_keras_serializable(package="test_saving")
class CountingGAN(GAN):
    """Has a random state and a weight of its own."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.seed_generator = keras.random.SeedGenerator(7)
        self.drawn = self.add_weight(shape=(), trainable=False, name="drawn")

    def train_step(self, data):
        self.drawn.assign_add(keras.random.uniform((), seed=self.seed_generator))
        return super().train_step(data)


def make(data, **options):
    """A GAN of layers that remember, or draw random numbers."""
    generator = keras.Sequential(
        [
            keras.Input((LATENTS,)),
            layers.Dense(SIZE),
            layers.GaussianNoise(0.3),
            layers.BatchNormalization(),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((SIZE,)),
            layers.Normalization(mean=data.mean(0), variance=data.var(0)),
            layers.Dropout(0.3),
            networks.SpectralNormalization(layers.Dense(1)),
        ]
    )
    gan = CountingGAN(generator, discriminator)
    accumulating = [
        keras.optimizers.Adam(1e-2, gradient_accumulation_steps=2) for _ in range(2)
    ]
    gan.compile(*accumulating, **options)
    return gan


@pytest.mark.e2e
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_training_goes_on_from_a_file_as_from_memory(policy, data, tmp_path):
    keras.config.set_dtype_policy(policy)
    schedule = keras.optimizers.schedules.PolynomialDecay(0.3, 5)
    gan = make(
        data,
        loss=keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
        discriminator_steps=2,
        regularizers=[regularizers.R1(schedule, every=3), "lecam"],
        instance_noise=schedule,
        updates="alternating",
    )
    for _ in range(3):
        gan.train_on_batch(data)
    gan.save(tmp_path / "gan.keras")
    gan.save_weights(tmp_path / "gan.weights.h5")
    keras.utils.set_random_seed(1)
    loaded = load_gan(tmp_path / "gan.keras")
    for role in ("generator_optimizer", "discriminator_optimizer"):
        assert getattr(loaded, role).name == getattr(gan, role).name
    for _ in range(3):
        assert gan.train_on_batch(data) == loaded.train_on_batch(data)
    assert_same(gan, loaded)
    gan.load_weights(tmp_path / "gan.weights.h5")
    for _ in range(3):
        gan.train_on_batch(data)
    assert_same(gan, loaded)


def assert_same(gan, loaded):
    assert len(gan.random_states()) == 3
    for model, other in (
        (gan, loaded),
        (gan.generator_optimizer, loaded.generator_optimizer),
        (gan.discriminator_optimizer, loaded.discriminator_optimizer),
    ):
        for one, two in zip(model.variables, other.variables, strict=True):
            np.testing.assert_array_equal(one.numpy(), two.numpy(), one.path)


@pytest.mark.e2e
def test_weights_without_random_states_are_loaded(data, tmp_path, monkeypatch):
    gan = make(data)
    with monkeypatch.context() as patched:
        patched.setattr(GAN, "save_own_variables", keras.Model.save_own_variables)
        gan.step.assign(5)
        gan.save_weights(tmp_path / "older.weights.h5")
    loaded = make(data)
    loaded.load_weights(tmp_path / "older.weights.h5")
    assert loaded.step == 5


@pytest.mark.parametrize("jit_compile", [True, "auto"])
def test_jit_compile_is_kept_as_it_was_given(jit_compile, data):
    gan = make(data, jit_compile=jit_compile)
    config = gan.get_compile_config()
    assert config["jit_compile"] == jit_compile
    gan.compile_from_config(config)
    assert gan.given_jit_compile == jit_compile
    assert gan.jit_compile == (jit_compile is True)


@pytest.mark.e2e
def test_a_checkpoint_of_training_is_loaded_in_a_new_process(make_gan, tmp_path):
    gan = make_gan()
    gan.compile(ScheduledAdam(1e-3), ScheduledAdam(1e-3))
    path = tmp_path / "step-0000000.keras"
    gan.save(path)
    program = (
        "import sys; from ganlab.models.saving import load_gan; "
        "print(type(load_gan(sys.argv[1]).generator_optimizer).__name__)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program, path],
        check=True,
        capture_output=True,
        text=True,
    )
    assert printed.stdout == "ScheduledAdam\n"


def test_a_damaged_file_is_one_line(tmp_path):
    path = tmp_path / "gan.keras"
    for content in (b"", b"PK\x03\x04" + bytes(90)):
        path.write_bytes(content)
        with pytest.raises(UserError, match="Expected a whole .keras file.*another"):
            load_gan(path)
    with pytest.raises(UserError, match="No such file or directory"):
        load_gan(tmp_path / "missing.keras")
