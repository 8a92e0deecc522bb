"""Are mistakes found before training, and nothing else?"""

import dataclasses

import keras
import numpy as np
import pytest
from keras import layers

from ganlab import GAN, networks
from ganlab.cli.main import main
from ganlab.config.settings import PRESETS, Recipe, get_preset
from ganlab.data import image_data
from ganlab.objectives import losses
from ganlab.training import preflight, train


def named(found):
    return {each.name: each for each in found}


@pytest.fixture
def batch():
    return np.random.default_rng(0).uniform(-1, 1, (8, 16, 16, 1)).astype("float32")


def gan_of(generator=None, discriminator=None, optimizers=None, cls=GAN, **compiled):
    options = {"latent_dim": 8, "base_filters": 4}
    gan = cls(
        networks.dcgan_generator(16, **options, **(generator or {})),
        networks.dcgan_discriminator(16, base_filters=4, **(discriminator or {})),
    )
    adam = keras.optimizers.Adam
    gan.compile(
        *(optimizers or (adam(2e-4, beta_1=0.5), adam(2e-4, beta_1=0.5))), **compiled
    )
    return gan


def test_a_sound_gan_has_no_problem(batch):
    gan = gan_of()
    before = [weight.numpy().copy() for weight in gan.weights]
    assert preflight.check_gan(gan, batch) == []
    for old, new in zip(before, gan.weights, strict=True):
        np.testing.assert_array_equal(old, new.numpy())


@pytest.mark.parametrize(
    ("scale", "shift", "output", "found"),
    [
        (1.0, 0.0, "tanh", False),
        (1.0, 0.0, "sigmoid", True),
        (0.5, 0.5, "tanh", True),
        (0.5, 0.5, "sigmoid", False),
        (127.5, 127.5, "tanh", True),
    ],
)
def test_data_range_against_the_output(batch, scale, shift, output, found):
    gan = gan_of({"output_activation": output})
    problems = named(preflight.check_gan(gan, batch * scale + shift))
    assert ("data_range_mismatch" in problems) == found


def test_double_sigmoid(batch):
    discriminator = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    gan = GAN(networks.dcgan_generator(16, latent_dim=8, base_filters=4), discriminator)
    gan.compile(keras.optimizers.Adam(beta_1=0.5), keras.optimizers.Adam(beta_1=0.5))
    (problem,) = preflight.check_gan(gan, batch)
    assert (problem.name, problem.severity) == ("double_sigmoid", "critical")
    assert "takes raw logits" in problem.says


class Mixed(GAN):
    """Judges real and fake in one batch, as many tutorials do."""

    def _judge(self, real_images, fake_images, labels, training):
        both = keras.ops.concatenate([real_images, fake_images])
        self.discriminator(both, training=training)
        return super()._judge(real_images, fake_images, labels, training)


@pytest.mark.parametrize(("normalization", "found"), [("batch", True), ("none", False)])
def test_mixed_batch_norm_of_a_subclass(batch, normalization, found):
    gan = gan_of(None, {"normalization": normalization}, cls=Mixed)
    before = [weight.numpy().copy() for weight in gan.weights]
    assert ("mixed_batch_norm" in named(preflight.check_gan(gan, batch))) == found
    for old, new in zip(before, gan.weights, strict=True):
        np.testing.assert_array_equal(old, new.numpy())
    sound = gan_of(None, {"normalization": "batch"})
    assert "mixed_batch_norm" not in named(preflight.check_gan(sound, batch))


def test_batch_norm_with_a_penalty(batch):
    gan = gan_of(None, {"normalization": "batch"}, regularizers="r1")
    assert "batch_norm_with_penalty" in named(preflight.check_gan(gan, batch))
    for regularizers in ("lecam", "weight_clipping"):
        gan = gan_of(None, {"normalization": "batch"}, regularizers=regularizers)
        assert "batch_norm_with_penalty" not in named(preflight.check_gan(gan, batch))


def test_unscaled_float16(batch):
    keras.config.set_dtype_policy("mixed_float16")
    assert preflight.check_gan(gan_of(), batch) == []
    found = named(preflight.check_gan(gan_of(loss_scaling=False), batch))
    assert found["unscaled_float16"].changes == {"loss_scaling": True}


@pytest.mark.parametrize(("kernel", "found"), [(3, True), (4, False), (5, True)])
def test_uneven_kernels(batch, kernel, found):
    gan = gan_of({"kernel_size": kernel})
    assert ("uneven_kernel" in named(preflight.check_gan(gan, batch))) == found
    gan = gan_of({"kernel_size": kernel, "upsampling": "nearest"})
    assert "uneven_kernel" not in named(preflight.check_gan(gan, batch))


class NoisyLabels(losses.NonSaturating):
    """Asks for 1.1 on real images."""

    def discriminator(self, real_logits, fake_logits):
        on_real = 1.1 * keras.ops.softplus(-real_logits)
        on_real -= 0.1 * keras.ops.softplus(real_logits)
        return keras.ops.mean(on_real) + keras.ops.mean(keras.ops.softplus(fake_logits))


def test_a_target_past_1_has_no_minimum(batch):
    assert "label_noise_past_1" in named(
        preflight.check_gan(gan_of(loss=NoisyLabels()), batch)
    )
    for name in losses.LOSSES:
        found = named(preflight.check_gan(gan_of(loss=name), batch))
        assert "label_noise_past_1" not in found
        assert ("unbounded_critic" in found) == (name == "wasserstein")


@pytest.mark.parametrize("held", ["gradient_penalty", "weight_clipping"])
def test_a_critic_that_is_held(batch, held):
    gan = gan_of(loss="wasserstein", regularizers=held)
    assert preflight.check_gan(gan, batch) == []
    gan = gan_of(None, {"spectral_norm": True}, loss="wasserstein")
    assert preflight.check_gan(gan, batch) == []


def test_optimizers(batch):
    adam = keras.optimizers.Adam
    gan = gan_of(optimizers=(adam(1e-4), adam(2e-3, beta_1=0.5)))
    found = named(preflight.check_gan(gan, batch))
    assert set(found) == {"high_beta_1", "rates_far_apart"}
    assert "differ 20 times" in found["rates_far_apart"].says


def source(count=400, **changes):
    pixels = np.random.default_rng(0).integers(0, 256, (count, 16, 16, 1), np.uint8)
    made = image_data.ImageData(
        "noise", pixels, np.arange(count) % 4, tuple("abcd"), ()
    )
    return dataclasses.replace(made, **changes)


def test_data():
    sound = source()
    assert preflight.check_data(sound) == []
    flat = sound.images.copy()
    flat[:300] = 7
    found = named(preflight.check_data(source(images=flat)))
    assert found["constant_images"].severity == "critical"
    assert "75%" in found["duplicated_images"].says
    rare = np.where(np.arange(400) < 390, 0, np.arange(400) % 4)
    found = named(preflight.check_data(source(labels=rare)))
    assert set(found) == {"class_imbalance"}


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_no_critical_problem(name):
    recipe = get_preset(name).replace(batch_size=8)
    found = train.check(recipe)
    assert not [each for each in found if each.severity == "critical"]


def test_the_command_line_says_it(capsys, tmp_path):
    assert main(["check", "--batch-size", "16"]) == 0
    assert "nothing found" in capsys.readouterr().out
    wrong = ["--set", "output_activation=sigmoid", "--set", "kernel_size=3"]
    assert main(["check", *wrong, "--batch-size", "16"]) == 1
    captured = capsys.readouterr()
    assert captured.out.index("critical") < captured.out.index("warning")
    assert "--set output_activation=tanh" in captured.out
    assert captured.err.count("\n") == 1
    few = tmp_path / "few.npz"
    pixels = np.random.default_rng(0).integers(0, 256, (30, 16, 16), np.uint8)
    np.savez(few, images=pixels)
    assert main(["check", "--data", f"npz:{few}", "--batch-size", "4"]) == 0
    printed = capsys.readouterr().out
    assert "30 images without augmentation" in printed
    assert "batch normalisation over 4 images" in printed
    assert main(["check", "--data", f"npz:{few}", "--batch-size", "64"]) == 2


def test_check_knows_what_a_run_would_be():
    found = train.check(Recipe(batch_size=16, regularizer="r1", beta_1=0.9))
    assert [each.name for each in found] == ["high_beta_1", "high_beta_1"]
