"""Names to choose from are those of the registries."""

from ganlab.config import choices
from ganlab.config.settings import SETTINGS
from ganlab.data import kinds, loading
from ganlab.models import adversarial
from ganlab.networks import blocks
from ganlab.objectives import augmentation, losses, regularizers


def test_choices_are_the_registries():
    assert tuple(losses.LOSSES) == choices.LOSSES
    assert ("none", *regularizers.REGULARIZERS) == choices.REGULARIZERS
    assert ("none", *augmentation.AUGMENTATIONS) == choices.AUGMENTATIONS
    assert augmentation.POLICY == choices.AUGMENTATION_POLICIES
    assert (
        tuple(network for kind in kinds.KINDS for network in kind.networks)
        == choices.NETWORKS
    )
    assert loading.CACHES == choices.CACHES
    assert adversarial.UPDATES == choices.UPDATES
    for name in (
        "ACTIVATIONS",
        "NORMALIZATIONS",
        "UPSAMPLINGS",
        "DOWNSAMPLINGS",
        "GENERATOR_CONDITIONINGS",
        "DISCRIMINATOR_CONDITIONINGS",
    ):
        assert getattr(blocks, name) == getattr(choices, name)
    size = SETTINGS["image_size"]
    assert (size.minimum, size.maximum) == (
        blocks.MIN_IMAGE_SIZE,
        blocks.MAX_IMAGE_SIZE,
    )
