"""What a recipe leaves to its data and its network."""

import pytest

from ganlab.config.presets import get_preset
from ganlab.config.resolve import (
    check_independent,
    complete,
    network_arguments,
    stated_extractors,
)
from ganlab.config.settings import Recipe
from ganlab.errors import UserError


def test_what_is_left_to_the_image_size():
    small = complete(Recipe(), 28, 1)
    large = complete(Recipe(), 64, 3)
    assert (small.discriminator_normalization, small.beta_1) == ("batch", 0.5)
    assert (large.discriminator_normalization, large.channels) == ("none", 3)
    assert small.generator_learning_rate == 5e-4
    assert large.discriminator_learning_rate == 2e-4
    given = complete(Recipe(generator_learning_rate=1e-3), 64, 3)
    assert given.generator_learning_rate == 1e-3
    held = complete(Recipe(regularizer="r1"), 28, 1)
    assert (held.network, held.discriminator_normalization) == ("dcgan", "none")
    mixture = complete(get_preset("r3gan").replace(data="grid"), None, None)
    assert (mixture.network, mixture.latent_dim) == ("mlp", 2)
    assert mixture.regularizer_weight == pytest.approx(0.02 * 16)


def test_networks_get_the_arguments_that_they_take():
    recipe = complete(Recipe(generator_filters=8, upsampling="nearest"), 28, 1)
    assert network_arguments(recipe, "generator") == {
        "latent_dim": 64,
        "base_filters": 8,
        "upsampling": "nearest",
        "kernel_size": 4,
        "output_activation": "tanh",
        "conditioning": "concat",
    }
    resnet = complete(Recipe(network="resnet", spectral_norm=True), 28, 1)
    assert network_arguments(resnet, "discriminator") == {
        "base_filters": 32,
        "spectral_norm": True,
        "attention": False,
        "minibatch_stddev": False,
        "san": False,
        "packing": 1,
        "conditioning": "projection",
    }


def test_a_setting_that_the_network_has_not_is_refused():
    recipe = complete(Recipe(network="r3gan", attention=True), 28, 1)
    with pytest.raises(UserError, match="no attention with network=r3gan, which has"):
        network_arguments(recipe, "generator")


def test_settings_of_image_networks_are_left_out_of_an_mlp():
    recipe = complete(get_preset("sngan").replace(data="ring"), None, None)
    assert network_arguments(recipe, "discriminator") == {
        "activation": "leaky_relu",
        "minibatch_stddev": False,
        "san": False,
        "packing": 1,
    }
    assert network_arguments(recipe, "generator") == {
        "latent_dim": 2,
        "normalization": "none",
    }


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"network": "projected"}, True),
        ({"network": "projected", "frozen_features": "imagenet"}, True),
        ({"network": "projected", "frozen_features": "random"}, False),
        ({"network": "dcgan", "frozen_features": "imagenet"}, False),
        ({}, False),
        ({"network": ["projected"]}, False),
    ],
)
def test_the_extractor_that_a_recipe_trains_on(settings, expected):
    frozen = {"efficientnet-lite0"} if expected else set()
    assert stated_extractors(settings) == frozen
    for features in (None, "pixels", "inception"):
        check_independent(frozen, features)
    if not expected:
        check_independent(frozen, "efficientnet-lite0")
        return
    with pytest.raises(UserError, match="not made of.*other --features") as caught:
        check_independent(frozen, "efficientnet-lite0")
    assert "\n" not in str(caught.value)
