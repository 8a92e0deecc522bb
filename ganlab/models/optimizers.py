"""What a GAN adds to Keras's optimizers: two of them, loss scaling, accumulation."""

import difflib
import re
from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganlab.errors import UserError, brief
from ganlab.models.forward import computes_in


def prepare(
    generator_optimizer: Any,
    discriminator_optimizer: Any,
    generator: keras.Model,
    discriminator: keras.Model,
    *,
    loss_scaling: bool,
) -> tuple[keras.optimizers.Optimizer, keras.optimizers.Optimizer]:
    """Builds both optimizers, with loss scaling where a network needs it.

    Args:
        generator_optimizer: A `keras.optimizers.Optimizer`, its name or config.
        discriminator_optimizer: Likewise, and not the same object.
        generator: The network that the first one trains.
        discriminator: The network that the second one trains.
        loss_scaling: Boolean. Whether losses are scaled in float16.

    Raises:
        UserError: for one object given twice, for one that trains other variables, and
            for what is no optimizer.
    """
    same = generator_optimizer is discriminator_optimizer
    if same and isinstance(generator_optimizer, keras.optimizers.Optimizer):
        raise UserError(
            "Expected two optimizers. Received: the same object twice; make another, "
            "for an optimizer keeps state for one network"
        )
    networks = {"generator": generator, "discriminator": discriminator}
    half = any(computes_in(network, "float16") for network in networks.values())
    optimizers = {
        "generator": _optimizer(generator_optimizer, "generator"),
        "discriminator": _optimizer(discriminator_optimizer, "discriminator"),
    }
    if optimizers["generator"].name == optimizers["discriminator"].name:
        for role, optimizer in optimizers.items():
            optimizer.name = f"{role}_{optimizer.name}"
    for role, optimizer in optimizers.items():
        optimizers[role] = _built(
            optimizer, networks[role], role, scaled=loss_scaling and half
        )
    check_accumulation(*optimizers.values())
    return optimizers["generator"], optimizers["discriminator"]


def prepare_one(
    given: Any, network: keras.layers.Layer, role: str, *, loss_scaling: bool
) -> keras.optimizers.Optimizer:
    """Builds the optimizer of all that a model trains, with loss scaling if it needs.

    Args:
        given: See `prepare`.
        network: What it trains.
        role: What that is called in messages.
        loss_scaling: See `prepare`.

    Raises:
        UserError: as there.
    """
    scaled = loss_scaling and computes_in(network, "float16")
    optimizer = _built(_optimizer(given, role), network, role, scaled=scaled)
    check_accumulation(optimizer)
    return optimizer


def _built(
    optimizer: keras.optimizers.Optimizer, network: Any, role: str, *, scaled: bool
) -> keras.optimizers.Optimizer:
    """An optimizer that has its state, under loss scaling where that is wanted."""
    check_trainable(network, role)
    optimizer.name = _name_of(optimizer, role)
    if scaled and not is_scaled(optimizer):
        name = optimizer.name  # as a loaded one has it
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, name=name)
    _check_unused(optimizer, network, role)
    optimizer.build(network.trainable_variables)
    return optimizer


def check_compile(
    generator: Any, discriminator: Any, unknown: dict[str, Any], known: Iterable[str]
) -> None:
    """Raises `UserError` for what `keras.Model.compile` takes and a GAN's does not.

    Args:
        generator: The generator's optimizer, or `None` if it was not given.
        discriminator: Likewise.
        unknown: Arguments that a GAN's `compile` does not have.
        known: Names of those that it has.
    """
    if unknown:
        names = ", ".join(unknown)
        fixes = {
            "optimizer": "pass generator_optimizer and discriminator_optimizer",
            "g_optimizer": "write generator_optimizer and discriminator_optimizer",
            "d_optimizer": "write generator_optimizer and discriminator_optimizer",
            "loss_fn": "write loss",
            "metrics": "use ganlab.callbacks to measure images as it trains",
            "loss_weights": "pass class_weight, or weights of the regularizers",
        }
        first, *_ = unknown
        close = difflib.get_close_matches(first, known, n=1, cutoff=0.7)
        meant = f"write {close[0]}" if close else "leave it out"
        fix = next((fixes[name] for name in unknown if name in fixes), meant)
        raise UserError(
            "Expected the arguments of GAN.compile, which trains two networks. "
            f"Received: {names}; {fix}"
        )
    if generator is None or discriminator is None:
        raise UserError(
            "Expected two optimizers, generator_optimizer and "
            f"discriminator_optimizer. Received: {brief(generator)} and "
            f"{brief(discriminator)}; each network has its own, such as "
            "gan.compile('adam', 'adam')"
        )


def check_unchanged(network: keras.Model, trained: list[keras.Variable]) -> None:
    """Raises `UserError` if a network trains other variables than at `compile`."""
    now, before = (
        {id(variable): variable.path for variable in variables}
        for variables in (network.trainable_variables, trained)
    )
    changed = [
        path for key, path in (now | before).items() if (key in now) != (key in before)
    ]
    if changed:
        raise UserError(
            f"Expected {network.name!r} to train the layers that it had at compile. "
            f"Received: {len(changed)} weights frozen or unfrozen since, the first "
            f"{changed[0]}; call compile again"
        )


def _name_of(optimizer: keras.optimizers.Optimizer, role: str) -> str:
    """Its name: as given, or by its network and class where Keras chose it."""
    kind = type(unwrapped(optimizer)).__name__.lower()
    given = rf"(generator_|discriminator_)?({kind}(_\d+)?|loss_scale_optimizer)"
    chosen = re.fullmatch(given, optimizer.name)
    return f"{role}_{kind}" if chosen else optimizer.name


def _optimizer(given: Any, role: str) -> keras.optimizers.Optimizer:
    try:
        optimizer = keras.optimizers.get(given)
    except ValueError:
        optimizer = None
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise UserError(
            f"Expected a keras.optimizers.Optimizer or its name as the {role}'s. "
            f"Received: {brief(given)}; pass keras.optimizers.Adam(2e-4, beta_1=0.5)"
        )
    return optimizer


def check_trainable(network: keras.Model, role: str) -> None:
    """Raises `UserError` for a network that cannot learn."""
    if not network.trainable_variables:
        raise UserError(
            f"Expected a {role} that trains. Received: {network.name!r} with no "
            "trainable weights; set its `trainable` to True, for a GAN itself trains "
            "one network at a time"
        )


def _check_unused(
    optimizer: keras.optimizers.Optimizer, network: keras.Model, role: str
) -> None:
    """Raises `UserError` for an optimizer that was built for other variables."""
    built = getattr(unwrapped(optimizer), "_trainable_variables", [])
    if built and [*map(id, built)] != [*map(id, network.trainable_variables)]:
        raise UserError(
            f"Expected an optimizer for the {role} that has trained nothing else. "
            "Received: one built for other variables, of another model or before "
            "layers were frozen or unfrozen; make new ones for compile"
        )


class BothOptimizers(keras.optimizers.Optimizer):
    """Both optimizers as one, for Keras's callbacks: `model.optimizer`.

    Callbacks that know of several, such as `LearningRateScheduler`, find them in
    `optimizers`; to others its learning rate is the generator's, and setting it sets
    both.

    Args:
        optimizers: The generator's and the discriminator's.
        networks: The networks, likewise.
    """

    def __init__(
        self,
        optimizers: tuple[keras.optimizers.Optimizer, ...],
        networks: tuple[keras.Model, ...],
    ) -> None:
        super().__init__(learning_rate=0.0, name="both_optimizers")
        self.optimizers = [unwrapped(optimizer) for optimizer in optimizers]
        self._networks = lambda: networks
        trained = [network.trainable_variables for network in networks]
        self._trained = lambda: trained
        self.built = True

    @property
    def learning_rate(self) -> "SharedRate":
        return SharedRate(self.optimizers)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.learning_rate.assign(value)

    @property
    def iterations(self) -> Any:
        """Updates of the generator."""
        return self.optimizers[0].iterations

    def check_unchanged(self) -> None:
        """Raises `UserError` if layers were frozen or unfrozen after `compile`."""
        for network, trained in zip(self._networks(), self._trained(), strict=True):
            check_unchanged(network, trained)

    def finalize_variable_values(self, var_list: Any) -> None:
        """Ends training, `use_ema` included, of each network by its own optimizer."""
        for optimizer, network in zip(self.optimizers, self._networks(), strict=True):
            optimizer.finalize_variable_values(network.trainable_variables)

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        raise UserError(
            "Expected gradients for one network's optimizer. Received: gradients for "
            "both; call generator_optimizer.apply or discriminator_optimizer.apply"
        )

    def save_own_variables(self, store: Any) -> None:
        """Saves nothing: both optimizers are the model's own."""

    def load_own_variables(self, store: Any) -> None:
        """Loads nothing."""

    def get_config(self) -> dict[str, Any]:
        raise UserError(
            "Expected the optimizer of one network to save. Received: both of a GAN as "
            "one; save the GAN as .keras or .weights.h5"
        )


class SharedRate:
    """The generator's learning rate, which sets the discriminator's too."""

    def __init__(self, optimizers: list[keras.optimizers.Optimizer]) -> None:
        self._optimizers = optimizers

    def assign(self, value: Any) -> None:
        """Sets both learning rates."""
        for optimizer in self._optimizers:
            optimizer.learning_rate = value

    def numpy(self) -> Any:
        return ops.convert_to_numpy(self._optimizers[0].learning_rate)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.numpy().astype(dtype or "float32")

    def __float__(self) -> float:
        return float(self.numpy())


def unwrapped(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The optimizer inside loss scaling."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def is_scaled(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether an optimizer scales its loss and skips steps that overflow."""
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def accumulation_steps(optimizer: keras.optimizers.Optimizer) -> int:
    """Steps whose mean gradient makes one update."""
    return unwrapped(optimizer).gradient_accumulation_steps or 1


def check_accumulation(*optimizers: keras.optimizers.Optimizer) -> None:
    """Raises `UserError` for gradient accumulation on several devices."""
    num_replicas = tf.distribute.get_strategy().num_replicas_in_sync
    steps = max(accumulation_steps(optimizer) for optimizer in optimizers)
    if num_replicas > 1 and steps > 1:
        raise UserError(
            "Expected gradient accumulation on one device, for Keras's optimizers "
            f"cannot on several. Received: gradient_accumulation_steps="
            f"{steps} on {num_replicas} devices; leave it out"
        )


def scaled_loss(loss: Any, optimizer: keras.optimizers.Optimizer) -> Any:
    """The loss times the loss scale, over the replicas whose gradients are summed."""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return optimizer.scale_loss(ops.convert_to_tensor(loss)) / replicas


def apply(
    optimizer: keras.optimizers.Optimizer, network: keras.Model, gradients: list[Any]
) -> Any:
    """Updates a network by gradients of its scaled loss; returns their norm.

    Raises:
        UserError: if the loss has no gradient in any weight.
    """
    if all(gradient is None for gradient in gradients):
        raise UserError(
            f"Expected {network.name!r} to be differentiable. Received: no gradient in "
            "any of its weights; leave out what has none, such as casts to integers, "
            "argmax and stop_gradient"
        )
    norm = ops.cast(tf.linalg.global_norm(gradients), "float32")
    norm /= scaled_loss(1.0, optimizer)
    optimizer.apply(gradients, network.trainable_variables)
    return norm
