"""What does each player minimise?

A loss has two methods, `discriminator(real_logits, fake_logits)` and
`generator(real_logits, fake_logits)`. Logits are raw discriminator outputs of
shape `(batch, 1)`; real is the positive side; the result is a float32 scalar,
the mean over the batch.
"""

import keras
from keras import ops

from ganlab.errors import UserError, unknown_name


class AdversarialLoss:
    """Base class: a pair of losses over the discriminator's logits."""

    def discriminator(self, real_logits, fake_logits):
        """Returns the scalar that the discriminator minimises."""
        raise NotImplementedError

    def generator(self, real_logits, fake_logits):
        """Returns the scalar that the generator minimises."""
        raise NotImplementedError

    def get_config(self):
        """Returns the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config):
        """Returns the loss that `get_config` described."""
        return cls(**config)


class BinaryCrossentropy(AdversarialLoss):
    """What minimax and non-saturating share: the discriminator's cross-entropy.

    With one-sided label smoothing the discriminator is asked to answer
    `1 - s` rather than 1 on real images, and still 0 on fake ones, which
    keeps it from growing ever surer:

        L_D = E[(1 - s) softplus(-D(x)) + s softplus(D(x))] + E[softplus(D(G(z)))]

    where `softplus(-l) = -log(sigmoid(l))` is computed from the logit, which
    stays finite where the sigmoid rounds to 0 or 1.

    Args:
        label_smoothing: Float in [0, 0.5), the `s` above. Defaults to `0.0`.

    Reference:
        [Salimans et al., 2016](https://arxiv.org/abs/1606.03498), section 3.4
    """

    def __init__(self, label_smoothing=0.0):
        if not 0.0 <= label_smoothing < 0.5:
            raise UserError(
                "Expected a label smoothing of 0 or more and under 0.5. "
                f"Received: label_smoothing={label_smoothing}"
            )
        self.label_smoothing = label_smoothing

    def discriminator(self, real_logits, fake_logits):
        real, fake = as_float32(real_logits), as_float32(fake_logits)
        on_real = (1.0 - self.label_smoothing) * ops.softplus(-real)
        on_real += self.label_smoothing * ops.softplus(real)
        return ops.mean(on_real) + ops.mean(ops.softplus(fake))

    def get_config(self):
        return {"label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable(package="ganlab")
class Minimax(BinaryCrossentropy):
    """The original two-player value, which saturates for the generator.

    The generator minimises the discriminator's own value,

        L_G = E[log(1 - sigmoid(D(G(z))))] = -E[softplus(D(G(z)))]

    whose gradient in the logit is `exp(D(G(z)))` times the non-saturating
    one: nothing is left of it once the discriminator is sure that an image
    is fake.

    Args:
        label_smoothing: Float in [0, 0.5): one-sided smoothing of the real
            target. Defaults to `0.0`.

    Reference:
        [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), equation 1
    """

    def generator(self, real_logits, fake_logits):
        return -ops.mean(ops.softplus(as_float32(fake_logits)))


@keras.saving.register_keras_serializable(package="ganlab")
class NonSaturating(BinaryCrossentropy):
    """The generator maximises the log-probability of passing for real.

        L_G = -E[log(sigmoid(D(G(z))))] = E[softplus(-D(G(z)))]

    Same fixed point as minimax, but the gradient is largest exactly where
    the discriminator wins.

    Args:
        label_smoothing: Float in [0, 0.5): one-sided smoothing of the real
            target. Defaults to `0.0`.

    Reference:
        [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), section 3
    """

    def generator(self, real_logits, fake_logits):
        return ops.mean(ops.softplus(-as_float32(fake_logits)))


def as_float32(logits):
    """Casts logits to float32, where a loss is computed whatever the policy."""
    return ops.cast(logits, "float32")


LOSSES = {"minimax": Minimax, "non_saturating": NonSaturating}


def get(loss):
    """Returns the loss for a name of `LOSSES`, or `loss` itself.

    Raises:
        UserError: for an unknown name, with the known ones.
    """
    if not isinstance(loss, str):
        return loss
    name = loss.replace("-", "_")
    if name not in LOSSES:
        raise unknown_name("loss", loss, LOSSES)
    return LOSSES[name]()
