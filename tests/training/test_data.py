"""The data completes the recipe."""

import pytest

from ganlab.errors import UserError
from ganlab.training.data import load_recipe_data


def test_the_data_completes_the_recipe(recipe):
    complete, data = load_recipe_data(recipe)
    assert len(data) == 40
    assert (complete.image_size, complete.channels) == (16, 1)
    assert complete.conditional is False
    assert complete.generator_learning_rate == 5e-4


def test_a_conditional_gan_needs_classes(recipe):
    with pytest.raises(UserError, match="data with classes for a conditional GAN"):
        load_recipe_data(recipe.replace(conditional=True))
