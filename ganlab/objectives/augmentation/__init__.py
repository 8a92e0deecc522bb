"""Augmentation of what the discriminator sees, for small data.

Real and fake images pass through the same random transformations on their way
to the discriminator, and the generator's gradient passes back through them:

    diffaugment   colour, translation and cutout on every image
    ada           flips, turns, scales and colours, each with a probability
                  that rises while the discriminator overfits

Both draw from the distributions of their authors' code.
"""

from ganlab.errors import UserError, unknown_name
from ganlab.objectives.augmentation.adaptive import AdaptiveAugment
from ganlab.objectives.augmentation.base import Augmentation
from ganlab.objectives.augmentation.diffaugment import POLICY, DiffAugment

__all__ = [
    "AUGMENTATIONS",
    "POLICY",
    "AdaptiveAugment",
    "Augmentation",
    "DiffAugment",
    "get",
]

AUGMENTATIONS: dict[str, type[Augmentation]] = {
    "diffaugment": DiffAugment,
    "ada": AdaptiveAugment,
}


def get(augmentation: object) -> Augmentation | None:
    """Returns the augmentation for a name, `None`, or `augmentation` itself.

    Layers of Keras and functions are no augmentations: they draw numbers of their
    own, so that a step would not be a function of its seed, and TensorFlow's
    gradient of turned and scaled images is not the exact one.

    Raises:
        UserError: for an unknown name, with the known ones, and for anything else.
    """
    if augmentation is None or augmentation == "none":
        return None
    if isinstance(augmentation, Augmentation):
        return augmentation
    known = ["none", *AUGMENTATIONS]
    if isinstance(augmentation, str):
        if augmentation not in AUGMENTATIONS:
            raise unknown_name("augmentation", augmentation, known)
        return AUGMENTATIONS[augmentation]()
    if isinstance(augmentation, type) and issubclass(augmentation, Augmentation):
        fix = f"write {augmentation.__name__}()"
    elif isinstance(augmentation, (list, tuple)):
        fix = "give one, or write a subclass of Augmentation that applies them in turn"
    else:
        fix = (
            "write a subclass of ganlab.augmentation.Augmentation with "
            "augment(images, seed), random from that seed alone"
        )
    raise UserError(
        f"Expected augmentation as one of {', '.join(known)} or a "
        f"ganlab.augmentation.Augmentation. Received: {_described(augmentation)}; {fix}"
    )


def _described(value: object) -> str:
    kind = value if isinstance(value, type) else type(value)
    return f"{'the class' if isinstance(value, type) else 'a'} {kind.__name__}"
