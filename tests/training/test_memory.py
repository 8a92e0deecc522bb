"""The estimate of memory: by hand, said, and refused."""

import keras
import numpy as np
import pytest

from ganlab import networks
from ganlab.config.settings import Recipe
from ganlab.errors import UserError
from ganlab.training import memory, preflight
from ganlab.training.build import build_gan
from ganlab.training.data import load_recipe_data
from ganlab.training.train import train

GB = 10**9


def test_numbers_that_a_backward_pass_needs():
    inputs = keras.Input((8, 8, 2))
    x = keras.layers.Conv2D(4, 3, padding="same")(inputs)  # is given 8 * 8 * 2
    x = keras.layers.LeakyReLU()(x)  # is given 8 * 8 * 4
    x = keras.layers.UpSampling2D(2)(x)
    x = keras.layers.Activation("relu")(x)  # gives 16 * 16 * 4
    x = keras.layers.Dense(1)(x)  # is given the same tensor
    assert memory.kept_numbers(keras.Model(inputs, x)) == 128 + 256 + 1024


def test_the_estimate_is_the_sum_that_it_says(tmp_path):
    images = np.zeros((8, 16, 16, 1), np.uint8)
    np.savez(tmp_path / "a.npz", images=images)
    options = {"generator_filters": 8, "discriminator_filters": 8}
    recipe = Recipe(data=f"npz:{tmp_path / 'a.npz'}", batch_size=128, **options)
    complete, data = load_recipe_data(recipe)
    gan = build_gan(complete, None)
    g, d = map(memory.kept_numbers, (gan.generator, gan.discriminator))
    step, probe = 1.3 * 4 * 128 * (g + 2 * d), 1.5 * 4 * 64 * (g + 3 * d)
    weights = 20 * gan.generator.count_params() + 16 * gan.discriminator.count_params()
    expected = 0.95e9 + images.nbytes + weights + 28 * images.size
    expected += max(step, probe) + 0.3 * min(step, probe)
    assert memory.estimate(complete, gan, data) == pytest.approx(expected, rel=1e-6)


def test_what_is_not_free_is_warned_of_and_what_cannot_fit_refused():
    assert memory.check_memory(3 * GB, (8 * GB, 4 * GB)) is None
    assert memory.check_memory(3 * GB, None) is None
    problem = memory.check_memory(5 * GB, (8 * GB, 4 * GB))
    assert problem.severity == "warning"
    assert problem.says == "the run needs about 5.0 GB of memory, and 4.0 GB are free"
    with pytest.raises(UserError, match=r"into 8.0 GB.*needs about 13.0 GB; use smal"):
        memory.check_memory(13 * GB, (8 * GB, 4 * GB))


def test_the_machine_says_how_much_it_has():
    total, free = memory.available()
    assert 0 < free <= total


@pytest.mark.e2e
def test_check_and_train_say_it(tmp_path, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 1), np.uint8)
    np.savez(tmp_path / "a.npz", images=images)
    options = {"generator_filters": 8, "discriminator_filters": 8, "batch_size": 4}
    recipe = Recipe(data=f"npz:{tmp_path / 'a.npz'}", steps=1, **options)
    monkeypatch.setattr(memory, "available", lambda: (GB, GB // 2))
    problems = {problem.name for problem in preflight.check(recipe)}
    assert "too_little_memory" in problems
    monkeypatch.setattr(memory, "available", lambda: (GB // 2, GB // 2))
    with pytest.raises(UserError, match=r"a run that fits into 0.5 GB"):
        train(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_largest_images_are_estimated_before_they_are_trained():
    network = networks.dcgan_generator(512, 4, base_filters=8)
    assert memory.kept_numbers(network) > 512 * 512 * 4
