"""Losses that a Keras user brings: of `keras.losses`, or a function of their own."""

import inspect
from collections.abc import Callable
from typing import Any

import keras
from keras import losses, ops

from ganlab.errors import UserError, brief
from ganlab.networks.precision import as_float32
from ganlab.objectives.adversarial import AdversarialLoss, Tensor
from ganlab.objectives.arguments import serialize

KERAS_LOSSES: dict[str, type[keras.losses.Loss]] = {
    "binary_crossentropy": losses.BinaryCrossentropy,
    "binary_focal_crossentropy": losses.BinaryFocalCrossentropy,
    "squared_hinge": losses.SquaredHinge,
    "mean_squared_error": losses.MeanSquaredError,
    "mean_absolute_error": losses.MeanAbsoluteError,
    "log_cosh": losses.LogCosh,
}
ABBREVIATIONS = {
    "bce": "binary_crossentropy",
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
}
OF_LOGITS = (*KERAS_LOSSES.values(), losses.Hinge)
TOWARDS_LABELS = (losses.MeanSquaredError, losses.MeanAbsoluteError, losses.LogCosh)
OF_KERAS = tuple(
    cls
    for cls in vars(losses).values()
    if isinstance(cls, type) and cls is not losses.Loss
)


@keras.saving.register_keras_serializable(package="ganlab")
class KerasLoss(AdversarialLoss):
    """A loss of `keras.losses`, with labels 1 for real and 0 for fake.

        L_D = loss(1, D(x)) + loss(0, D(G(z)))
        L_G = loss(1, D(G(z)))

    The generator's is non-saturating. Keras's hinge losses read the label 0 as -1,
    so that `Hinge` has the discriminator's loss of Lim & Ye and a generator's that
    ends at the margin, where theirs does not.

    The discriminator is undecided at ½ where logits are drawn to the labels (squared
    and absolute error, log-cosh), else at 0. Label smoothing is the object's own: it
    moves both labels, and the generator's too. Logits are taken in float32 whatever
    the object's dtype.

    Args:
        loss: A `keras.losses.Loss` whose mean over logits, or sum for
            `reduction="sum"`, is finite for any logits: `BinaryCrossentropy` or
            `BinaryFocalCrossentropy` with `from_logits=True`, `MeanSquaredError`,
            `MeanAbsoluteError`, `LogCosh`, `Hinge`, `SquaredHinge`, or a subclass of
            `keras.losses.Loss` with a `call` of its own.

    Raises:
        UserError: for a loss of probabilities, classes, sequences or pictures, or one
            without a reduction.

    Reference:
        [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), section 3
    """

    def __init__(self, loss: keras.losses.Loss) -> None:
        name = type(loss).__name__
        if isinstance(loss, OF_KERAS) and not isinstance(loss, OF_LOGITS):
            known = ", ".join(cls.__name__ for cls in OF_LOGITS)
            raise UserError(
                "Expected a loss of one logit and the label 0 or 1. "
                f"Received: {name}; use one of {known}"
            )
        if type(loss).call is losses.Loss.call:
            raise UserError(
                "Expected a keras.losses.Loss with a call(y_true, y_pred) of its own. "
                f"Received: {name}; define call"
            )
        if not getattr(loss, "from_logits", True):
            raise UserError(
                "Expected a loss of raw logits, which discriminators give. Received: "
                f"{name}(from_logits=False); pass {name}(from_logits=True), and "
                "end the discriminator on Dense(1) without an activation"
            )
        if loss.reduction in (None, "none"):
            raise UserError(
                "Expected a loss that is reduced to a number. Received: "
                f"{name}(reduction={loss.reduction!r}); leave reduction out"
            )
        self.loss = loss

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return self._value(1.0, real_logits) + self._value(0.0, fake_logits)

    def generator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return self._value(1.0, fake_logits)

    def _value(self, label: float, logits: Tensor) -> Tensor:
        # Keras's own reduction divides by the number of replicas, as GAN does later.
        logits = as_float32(logits)
        values = self.loss.call(ops.full_like(logits, label), logits)
        return ops.sum(values) if self.loss.reduction == "sum" else ops.mean(values)

    def margins(
        self, real_logits: Tensor, fake_logits: Tensor
    ) -> tuple[Tensor, Tensor]:
        middle = 0.5 if isinstance(self.loss, TOWARDS_LABELS) else 0.0
        return as_float32(real_logits) - middle, as_float32(fake_logits) - middle

    def get_config(self) -> dict[str, Any]:
        return {"loss": keras.saving.serialize_keras_object(self.loss)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "KerasLoss":
        return cls(keras.saving.deserialize_keras_object(config["loss"]))


@keras.saving.register_keras_serializable(package="ganlab")
class FunctionLoss(AdversarialLoss):
    """A function of both sides' logits that returns both losses.

        L_D, L_G = function(D(x), D(G(z)))

    It counts as undecided at 0. It can be saved if it is registered with
    `keras.saving.register_keras_serializable`.

    Args:
        function: Function of `(real_logits, fake_logits)`, float32 tensors of the
            discriminator's shape, that returns the scalars `(d_loss, g_loss)`.

    Raises:
        UserError: for a function of other arguments; where it is called, for one that
            returns anything else.

    Reference:
        [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661)
    """

    def __init__(self, function: Callable[[Tensor, Tensor], Any]) -> None:
        self.function = function
        try:
            signature = inspect.signature(function)
            named = ", ".join(signature.parameters)
            signature.bind(None, None)
        except ValueError:
            raise self._refusal("a function without a signature") from None
        except TypeError:
            raise self._refusal(f"a function of ({named}); take both") from None
        if list(signature.parameters)[:2] == ["y_true", "y_pred"]:
            raise self._refusal(
                "a function of (y_true, y_pred); pass a keras.losses.Loss of "
                "logits, such as keras.losses.BinaryCrossentropy(from_logits=True)"
            )

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return self._losses(real_logits, fake_logits)[0]

    def generator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return self._losses(real_logits, fake_logits)[1]

    def _losses(self, real_logits: Tensor, fake_logits: Tensor) -> list[Tensor]:
        pair = self.function(as_float32(real_logits), as_float32(fake_logits))
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise self._refusal(f"{brief(pair)}; return a pair")
        if any(value is None for value in pair):
            raise self._refusal("None in the pair; return two numbers")
        values = [ops.convert_to_tensor(value) for value in pair]
        shapes = [tuple(value.shape) for value in values]
        if any(shapes):
            raise self._refusal(
                f"losses of shapes {shapes[0]} and {shapes[1]}; reduce them to "
                "scalars, as by keras.ops.mean"
            )
        return [as_float32(value) for value in values]

    def _refusal(self, received: str) -> UserError:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return UserError(
            f"Expected the loss {name} to be a function of (real_logits, fake_logits) "
            f"that returns (d_loss, g_loss). Received: {received}"
        )

    def get_config(self) -> dict[str, Any]:
        return {"function": serialize(self.function)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "FunctionLoss":
        return cls(keras.saving.deserialize_keras_object(config["function"]))


def by_keras_name(name: str) -> KerasLoss | None:
    """The loss for a name of Keras's, of raw logits; `None` for no loss of one logit.

    Args:
        name: A name of `KERAS_LOSSES`, such as `"binary_crossentropy"`, of its class,
            `"BinaryCrossentropy"`, or short, `"bce"`.
    """
    name = ABBREVIATIONS.get(name.lower(), name)
    for known, cls in KERAS_LOSSES.items():
        if name in (known, cls.__name__):
            of_logits = "from_logits" in inspect.signature(cls).parameters
            options: dict[str, Any] = {"from_logits": True} if of_logits else {}
            return KerasLoss(cls(**options))
    return None


def from_keras(given: Any) -> AdversarialLoss:
    """The loss for an object of `keras.losses`, or for a function.

    Raises:
        UserError: for anything else.
    """
    if isinstance(given, losses.Loss):
        return KerasLoss(given)
    of_keras = type(given).__module__.split(".")[0] == "keras"
    if callable(given) and not isinstance(given, type) and not of_keras:
        return FunctionLoss(given)
    fix = ""
    if isinstance(given, type):
        of_logits = (losses.BinaryCrossentropy, losses.BinaryFocalCrossentropy)
        arguments = "from_logits=True" if issubclass(given, of_logits) else ""
        fix = f"; pass an instance, {given.__name__}({arguments})"
    raise UserError(
        "Expected loss as a name, an AdversarialLoss, a keras.losses.Loss or a "
        "function of (real_logits, fake_logits) that returns (d_loss, g_loss). "
        f"Received: {brief(given)}{fix}"
    )
