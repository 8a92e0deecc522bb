"""Adversarial losses of the discriminator and the generator.

A loss has two methods, `discriminator(real_logits, fake_logits)` and
`generator(real_logits, fake_logits)`. Logits are raw discriminator outputs of
any shape, such as `(batch, 1)` or patches `(batch, height, width, 1)`, and of
one shape on both sides; real is the positive side. The result is the mean over
all logits, a float32 scalar (float64 for float64 logits).

    minimax, non_saturating            cross-entropy
    least_squares, hinge, wasserstein  other measures of being told apart
    relativistic, relativistic_average real logits measured against fake ones

and, of what a Keras user brings, `KerasLoss` and `FunctionLoss`.
"""

import inspect
from typing import Any

import keras
from keras import ops

from ganlab.errors import UserError, brief, unknown_name
from ganlab.networks.precision import as_float32
from ganlab.objectives import keras_losses
from ganlab.objectives.adversarial import AdversarialLoss, Tensor
from ganlab.objectives.arguments import is_number
from ganlab.objectives.keras_losses import FunctionLoss, KerasLoss

__all__ = [
    "AdversarialLoss",
    "BinaryCrossentropy",
    "FunctionLoss",
    "Hinge",
    "KerasLoss",
    "LeastSquares",
    "Minimax",
    "NonSaturating",
    "Relativistic",
    "RelativisticAverage",
    "Wasserstein",
    "get",
]


class BinaryCrossentropy(AdversarialLoss):
    """The discriminator's cross-entropy, which minimax and non-saturating share.

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

    def __init__(self, label_smoothing: float = 0.0) -> None:
        if not (is_number(label_smoothing) and 0.0 <= label_smoothing < 0.5):
            raise UserError(
                "Expected a label smoothing of 0 or more and under 0.5. "
                f"Received: label_smoothing={label_smoothing}"
            )
        self.label_smoothing = label_smoothing

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        real, fake = as_float32(real_logits), as_float32(fake_logits)
        on_real = (1.0 - self.label_smoothing) * ops.softplus(-real)
        on_real += self.label_smoothing * ops.softplus(real)
        return ops.mean(on_real) + ops.mean(ops.softplus(fake))

    def get_config(self) -> dict[str, Any]:
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

    def generator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
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

    def generator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return ops.mean(ops.softplus(-as_float32(fake_logits)))


@keras.saving.register_keras_serializable(package="ganlab")
class LeastSquares(AdversarialLoss):
    """Least squares: logits are drawn to 1 (real) and 0 (fake).

    A fake that is already taken for real, but lies far from the real logits,
    still has gradient; cross-entropy leaves it alone.

        L_D = ½ E[(D(x) - 1)²] + ½ E[D(G(z))²]
        L_G = ½ E[(D(G(z)) - 1)²]

    The discriminator is undecided at ½.

    Reference:
        [Mao et al., 2017](https://arxiv.org/abs/1611.04076), equation 9
    """

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        real, fake = as_float32(real_logits), as_float32(fake_logits)
        return 0.5 * ops.mean(ops.square(real - 1.0)) + 0.5 * ops.mean(ops.square(fake))

    def generator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return 0.5 * ops.mean(ops.square(as_float32(fake_logits) - 1.0))

    def margins(
        self, real_logits: Tensor, fake_logits: Tensor
    ) -> tuple[Tensor, Tensor]:
        return as_float32(real_logits) - 0.5, as_float32(fake_logits) - 0.5


@keras.saving.register_keras_serializable(package="ganlab")
class Hinge(AdversarialLoss):
    """Hinge: an image whose logit clears the margin of 1 has no gradient left.

        L_D = E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]
        L_G = -E[D(G(z))]

    Reference:
        [Lim & Ye, 2017](https://arxiv.org/abs/1705.02894)
    """

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        real, fake = as_float32(real_logits), as_float32(fake_logits)
        return ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake))

    def generator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return -ops.mean(as_float32(fake_logits))


@keras.saving.register_keras_serializable(package="ganlab")
class Wasserstein(AdversarialLoss):
    """The critic's estimate of the Wasserstein-1 distance.

        L_D = E[D(G(z))] - E[D(x)]
        L_G = -E[D(G(z))]

    It is an estimate only while the critic is 1-Lipschitz: use it with
    `gradient_penalty` or `weight_clipping`. `-L_D` then falls as images
    improve. A critic's zero means nothing, so it counts as undecided halfway
    between both means.

    Reference:
        [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875), equations 2, 3
    """

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return ops.mean(as_float32(fake_logits)) - ops.mean(as_float32(real_logits))

    def generator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return -ops.mean(as_float32(fake_logits))

    def margins(
        self, real_logits: Tensor, fake_logits: Tensor
    ) -> tuple[Tensor, Tensor]:
        real, fake = as_float32(real_logits), as_float32(fake_logits)
        middle = 0.5 * (ops.mean(real) + ops.mean(fake))
        return real - middle, fake - middle


@keras.saving.register_keras_serializable(package="ganlab")
class Relativistic(AdversarialLoss):
    """Relativistic pairing: each real logit must beat the fake one beside it.

        L_D = E[softplus(-(D(x) - D(G(z))))]
        L_G = E[softplus(-(D(G(z)) - D(x)))]

    A generator that drops a mode loses every pair whose real image lies in
    it, so the loss has no basin at collapse. Only differences of logits
    count; it converges locally with R1 and R2 together.

    Reference:
        [Jolicoeur-Martineau, 2018](https://arxiv.org/abs/1807.00734), equation 7;
        [Huang et al., 2024 (R3GAN)](https://arxiv.org/abs/2501.05441), equation 2
    """

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return ops.mean(ops.softplus(as_float32(fake_logits) - as_float32(real_logits)))

    def generator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return self.discriminator(fake_logits, real_logits)

    def margins(
        self, real_logits: Tensor, fake_logits: Tensor
    ) -> tuple[Tensor, Tensor]:
        lead = as_float32(real_logits) - as_float32(fake_logits)
        return lead, -lead


@keras.saving.register_keras_serializable(package="ganlab")
class RelativisticAverage(AdversarialLoss):
    """Relativistic average: each image against the mean of the other side.

        r = D(x) - E[D(G(z))],  f = D(G(z)) - E[D(x)]
        L_D = E[softplus(-r)] + E[softplus(f)]
        L_G = E[softplus(r)] + E[softplus(-f)]

    Expectations are over all logits of the batch (of one replica, where there are
    several).

    Reference:
        [Jolicoeur-Martineau, 2018](https://arxiv.org/abs/1807.00734), equation 9
    """

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        real, fake = self.margins(real_logits, fake_logits)
        return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))

    def generator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return self.discriminator(fake_logits, real_logits)

    def margins(
        self, real_logits: Tensor, fake_logits: Tensor
    ) -> tuple[Tensor, Tensor]:
        real, fake = as_float32(real_logits), as_float32(fake_logits)
        return real - ops.mean(fake), fake - ops.mean(real)


LOSSES: dict[str, type[AdversarialLoss]] = {
    "minimax": Minimax,
    "non_saturating": NonSaturating,
    "least_squares": LeastSquares,
    "hinge": Hinge,
    "wasserstein": Wasserstein,
    "relativistic": Relativistic,
    "relativistic_average": RelativisticAverage,
}


def get(loss: Any, label_smoothing: float = 0.0) -> AdversarialLoss:
    """Returns the loss for a name, a Keras loss or a function.

    Args:
        loss: A name of `LOSSES` or of `keras_losses.KERAS_LOSSES`, such as
            `"binary_crossentropy"`, there of raw logits; an `AdversarialLoss`, which
            is returned as it is; a `keras.losses.Loss`, see `KerasLoss`; or a function
            of `(real_logits, fake_logits)` that returns `(d_loss, g_loss)`.
        label_smoothing: Float: one-sided smoothing, for a name of a loss that has it.

    Raises:
        UserError: for anything else, or for smoothing with a loss that has no target
            to smooth or smooths by itself.
    """
    name = loss.replace("-", "_") if isinstance(loss, str) else brief(loss)
    if label_smoothing:
        options: dict[str, Any] = {"label_smoothing": label_smoothing}
        return _smoothable(name, label_smoothing)(**options)
    if isinstance(loss, AdversarialLoss):
        return loss
    if not isinstance(loss, str):
        return keras_losses.from_keras(loss)
    made = LOSSES[name]() if name in LOSSES else keras_losses.by_keras_name(name)
    if made is None:
        raise unknown_name("loss", loss, [*LOSSES, *keras_losses.KERAS_LOSSES])
    return made


def name_of(loss: AdversarialLoss) -> str | None:
    """The name by which ganlab knows a loss's class, or `None`."""
    names = {loss_class: name for name, loss_class in LOSSES.items()}
    return names.get(type(loss))


def _smoothable(name: str, label_smoothing: float) -> type[AdversarialLoss]:
    smoothable = {
        known: cls
        for known, cls in LOSSES.items()
        if "label_smoothing" in inspect.signature(cls).parameters
    }
    if name not in smoothable:
        raise UserError(
            f"Expected no label smoothing with {name}, which has no target to smooth "
            f"or smooths by itself. Received: label_smoothing={label_smoothing}; use "
            + " or ".join(smoothable)
        )
    return smoothable[name]
