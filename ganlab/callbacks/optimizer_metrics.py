"""What do a GAN's optimizers say: which weights each moves, and at what rate?"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import keras

from ganlab.models.optimizers import unwrapped

Optimizers = Mapping[str, keras.optimizers.Optimizer]


def optimizers_of(gan: Any) -> Optimizers:
    """A compiled `ganlab.GAN`'s optimizers by `d` and `g`."""
    return {"d": gan.discriminator_optimizer, "g": gan.generator_optimizer}


def learning_rates(optimizers: Optimizers) -> dict[str, float]:
    """The present learning rates of optimizers, by the same keys."""
    return {
        key: float(keras.ops.convert_to_numpy(optimizer.learning_rate))
        for key, optimizer in optimizers.items()
    }


def crossed_shares(optimizers: Optimizers, gan: Any) -> dict[str, float]:
    """Fractions of each network's weights that the other's optimizer moves too.

    Args:
        optimizers: By `d` and `g`. One that has not taken a step moves nothing yet; one
            object for both networks says nothing, nor does one alone.
        gan: What has both networks.

    Returns:
        A dict of `d_crossed_share` and `g_crossed_share`, floats in [0, 1], or an
        empty one.
    """
    if len({id(optimizer) for optimizer in optimizers.values()}) < 2:
        return {}
    networks = {"d": gan.discriminator, "g": gan.generator}
    shares = {}
    for key, other in (("d", "g"), ("g", "d")):
        moved = getattr(unwrapped(optimizers[other]), "_trainable_variables", [])
        identities = set(map(id, moved))
        own = networks[key].trainable_variables
        crossed = [weight for weight in own if id(weight) in identities]
        total = max(_size(own), 1)
        shares[f"{key}_crossed_share"] = _size(crossed) / total
    return shares


def _size(weights: Iterable[Any]) -> int:
    """How many numbers some weights are."""
    return sum(math.prod(weight.shape) for weight in weights)
