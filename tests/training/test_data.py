"""The data completes the recipe, and real images are chosen for scores."""

import io

import numpy as np
import pytest

from ganlab.config.settings import Monitoring
from ganlab.errors import UserError
from ganlab.training.data import load_recipe_data, load_reference


def test_the_data_completes_the_recipe(recipe):
    complete, data = load_recipe_data(recipe)
    assert len(data) == 40
    assert (complete.image_size, complete.channels) == (16, 1)
    assert complete.conditional is False
    assert complete.generator_learning_rate == 5e-4


def test_a_conditional_gan_needs_classes(recipe):
    with pytest.raises(UserError, match="data with classes for a conditional GAN"):
        load_recipe_data(recipe.replace(conditional=True))


def test_the_reference_is_as_the_monitoring_says(recipe):
    _, data = load_recipe_data(recipe)
    monitoring = Monitoring(features="pixels", evaluate_images=12)
    reference = load_reference(monitoring, data, io.StringIO())
    assert reference.protocol.num_images == 12
    assert reference.protocol.extractor == "pixels"


def test_there_is_no_reference_of_five_images(recipe, tmp_path):

    np.savez(tmp_path / "few.npz", images=np.zeros((5, 16, 16, 1), np.uint8))
    _, data = load_recipe_data(recipe.replace(data=f"npz:{tmp_path / 'few.npz'}"))
    assert load_reference(Monitoring(), data) is None
