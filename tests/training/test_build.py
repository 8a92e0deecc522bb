"""A recipe becomes networks and a compiled GAN, or a message that says why not."""

import keras
import pytest

from ganlab.config.resolve import complete
from ganlab.config.settings import Recipe
from ganlab.errors import UserError
from ganlab.models import directions
from ganlab.training.build import (
    NETWORKS,
    build_augmentation,
    build_gan,
    build_networks,
    build_regularizers,
    check_names,
    dtype_policy,
)


@pytest.mark.e2e
@pytest.mark.parametrize("network", [name for name in NETWORKS if name != "mlp"])
def test_networks_of_images(network):
    recipe = Recipe(network=network, generator_filters=4, discriminator_filters=4)
    generator, discriminator = build_networks(complete(recipe, 16, 3), None)
    assert generator.output_shape == (None, 16, 16, 3)
    assert discriminator.output_shape == (None, 4 if network == "projected" else 1)


@pytest.mark.e2e
@pytest.mark.parametrize("conditioning", [None, "projection", "auxiliary"])
@pytest.mark.parametrize("network", [name for name in NETWORKS if name != "mlp"])
def test_san_is_an_option_of_every_network(network, conditioning):
    recipe = Recipe(
        network=network,
        generator_filters=4,
        discriminator_filters=4,
        discriminator_conditioning=conditioning or "projection",
        san=True,
    )
    num_classes = None if conditioning is None else 3
    if (network, conditioning) == ("projected", "auxiliary"):
        with pytest.raises(UserError, match="no discriminator conditioning"):
            build_gan(complete(recipe, 16, 3), num_classes)
        return
    gan = build_gan(complete(recipe, 16, 3), num_classes)
    kernels = directions.kernels(gan.discriminator)
    outputs = 3 if conditioning == "projection" else 1
    heads = 4 if network == "projected" else 1
    assert [kernel.shape[-1] for kernel in kernels] == heads * [outputs]


def test_networks_of_toy_mixtures():
    recipe = complete(Recipe(data="ring", san=True), None, None)
    generator, discriminator = build_networks(recipe, None)
    assert generator.output_shape == (None, 2)
    assert discriminator.output_shape == (None, 1)
    assert len(directions.kernels(discriminator)) == 1
    with pytest.raises(UserError, match="leave the network out"):
        build_networks(recipe.replace(network="dcgan"), None)


def test_a_setting_that_the_network_has_not_is_refused():
    recipe = complete(Recipe(network="r3gan", kernel_size=3), 16, 1)
    with pytest.raises(UserError, match="no kernel size with network=r3gan"):
        build_networks(recipe, None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "unet"}, "Unknown network"),
        ({"loss": "best"}, "Unknown loss"),
        ({"regularizer": "r3"}, "Unknown regularizer"),
        ({"augmentation": "mixup"}, "Unknown augmentation"),
        ({"data": "ring", "conditional": True}, "without classes"),
        ({"data": "ring", "augmentation": "ada"}, "without classes, augmentation"),
        ({"data": "ring", "flip": True}, "Received: flip=True"),
        ({"image_size": 8}, "image"),
    ],
)
def test_wrong_names_are_known_before_data_is_read(changes, message):
    check_names(Recipe())
    with pytest.raises(UserError, match=message):
        check_names(Recipe(**changes))


@pytest.mark.e2e
def test_equal_recipes_build_equal_weights():
    recipe = complete(Recipe(generator_filters=4, discriminator_filters=4), 16, 1)
    first, second = (build_gan(recipe, None) for _ in range(2))
    other = build_gan(recipe.replace(seed=1), None)
    kernels = [gan.generator.get_layer("project").kernel for gan in (first, second)]
    assert (kernels[0].numpy() == kernels[1].numpy()).all()
    assert (kernels[0].numpy() != other.generator.get_layer("project").kernel).any()


def test_regularizers_fade_as_the_recipe_says():
    recipe = Recipe(
        regularizer="r1+r2", regularizer_weight=2.0, final_weight_share=0.5, steps=10
    )
    r1, r2 = build_regularizers(recipe)
    assert type(r1).__name__ != type(r2).__name__
    assert float(r1.weight_at(0)) == pytest.approx(2.0)
    assert float(r2.weight_at(10)) == pytest.approx(1.0)


def test_augmentations_of_a_recipe():
    assert build_augmentation(Recipe()) is None
    recipe = Recipe(augmentation="diffaugment", augmentation_policy="cutout")
    assert type(build_augmentation(recipe)).__name__ == "DiffAugment"


def test_the_dtype_policy_is_set_for_a_while():
    with dtype_policy("mixed_bfloat16"):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    assert keras.config.dtype_policy().name == "float32"
