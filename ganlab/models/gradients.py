"""Gradients of both networks' losses, from one batch of discriminator inputs.

Every strategy has one signature, and equals `two_pass` to rounding:

    two_pass    a backward pass through the discriminator for each loss
    one_stage   one backward pass for both, where each sample is judged alone
    lazy        either, with gradient penalties only at the steps where they are due
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import tensorflow as tf
from keras import ops

from ganlab.errors import UserError
from ganlab.models import seeds
from ganlab.models.batches import DiscriminatorInputs, Generated
from ganlab.models.directions import with_directions
from ganlab.models.forward import (
    computes_in,
    judges_patches,
    logits_of,
    regularizations,
    stateless_logits,
    total_of,
)
from ganlab.models.optimizers import scaled_loss
from ganlab.networks.precision import HALF_PRECISION
from ganlab.objectives.regularizers import DiscriminatorOutput, per_sample_shape

if TYPE_CHECKING:
    from ganlab.models.adversarial import AdversarialModel


class Gradients(NamedTuple):
    """Gradients of both losses, times the optimizers' loss scales.

    Args:
        discriminator: A list: the gradient of the discriminator's loss, penalties
            included, in each of its trainable variables.
        fake_inputs: Gradient of the generator's loss in the fake images, from where
            the generator's tape goes on; `None` without the generator.
        logits: Float32 logits of real and of fake inputs.
        logs: A dict from log keys to float32 scalars.
    """

    discriminator: list[Any]
    fake_inputs: Any
    logits: list[Any]
    logs: dict[str, Any]

    def generator(self, gan: "AdversarialModel", generated: Generated) -> list[Any]:
        """The gradient of the generator's loss in each of its trainable variables."""
        unit = scaled_loss(1.0, gan.generator_optimizer)
        return generated.tape.gradient(
            [generated.images, *generated.losses],
            gan.trained_generator.trainable_variables,
            [self.fake_inputs, *(ops.cast(unit, x.dtype) for x in generated.losses)],
        )

    def outputs(self, inputs: DiscriminatorInputs) -> list[DiscriminatorOutput]:
        """The logits of real and of fake images, beside these."""
        pair = zip((inputs.real, inputs.fake), self.logits, strict=True)
        return [DiscriminatorOutput(side, logits) for side, logits in pair]


Strategy = Callable[..., Gradients]


def choose(gan: "AdversarialModel") -> Strategy:
    """The fastest strategy that a compiled GAN allows.

    One stage needs one logit a sample that depends on it alone, one output, and more
    than float16's range for the factor between both losses' gradients.
    """
    one_pass = gan.is_per_sample and not gan.auxiliary
    one_pass = one_pass and not judges_patches(gan.discriminator)
    exact = one_pass and not computes_in(gan.discriminator, "float16")
    strategy = one_stage if exact else two_pass
    every = {penalty.every for penalty in gan.objective.gradient_penalties}
    return strategy if not every or 1 in every else lazy(strategy)


def two_pass(
    gan: "AdversarialModel",
    inputs: DiscriminatorInputs,
    *,
    with_generator: bool = True,
    with_gradient_penalties: bool = True,
) -> Gradients:
    """The definition: each loss is differentiated in its own network's weights.

    Args:
        gan: A compiled `ganlab.GAN`.
        inputs: The discriminator's inputs.
        with_generator: Boolean. Whether the generator's gradient is wanted.
        with_gradient_penalties: Boolean. Whether those penalties are due.

    Reference:
        [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), algorithm 1
    """
    losses = _Losses.of(gan, inputs, with_gradient_penalties=with_gradient_penalties)
    return _differentiated_apart(gan, inputs, losses, with_generator=with_generator)


def _differentiated_apart(
    gan: "AdversarialModel",
    inputs: DiscriminatorInputs,
    losses: "_Losses",
    *,
    with_generator: bool,
) -> Gradients:
    variables = gan.discriminator.trainable_variables
    discriminator = losses.tape.gradient(
        [losses.discriminator, *losses.beside_logits], variables
    )
    discriminator = with_directions(gan, losses.tape, losses.logits, discriminator)
    fake_inputs = None
    if with_generator:
        fake_inputs = losses.tape.gradient(losses.generator, inputs.fake)
        _check_depends(gan, fake_inputs)
    return Gradients(discriminator, fake_inputs, losses.logits, losses.logs)


def _check_depends(gan: "AdversarialModel", gradient: Any) -> None:
    """Raises `UserError` if the generator's loss has no gradient at all."""
    if gradient is None:
        raise UserError(
            "Expected a generator's loss that depends on the fake logits, and networks "
            "of differentiable operations. Received: no gradient of "
            f"{type(gan.objective.loss).__name__} in the images; compute it from both"
        )


def one_stage(
    gan: "AdversarialModel",
    inputs: DiscriminatorInputs,
    *,
    with_generator: bool = True,
    with_gradient_penalties: bool = True,
) -> Gradients:
    """One backward pass for both losses, where each logit depends on one sample.

    Below a logit both gradients have one direction, and differ by one factor a
    sample: see `shared_direction`. Where a penalty has computed the gradients of the
    logits in the inputs, the generator's is the logit's own gradient times those.
    Arguments are those of `two_pass`.

    Reference:
        [Shen et al., 2021](https://arxiv.org/abs/2103.00430), section 3
    """
    losses = _Losses.of(gan, inputs, with_gradient_penalties=with_gradient_penalties)
    if not with_generator:
        return _differentiated_apart(gan, inputs, losses, with_generator=with_generator)
    tape, variables = losses.tape, gan.discriminator.trainable_variables
    at_logits = tape.gradient(
        losses.discriminator, losses.logits, unconnected_gradients="zero"
    )
    factor = tape.gradient(losses.generator, losses.logits[1])
    _check_depends(gan, factor)
    targets = [*losses.logits, *losses.beside_logits]
    unit = [ops.ones_like(term) for term in losses.beside_logits]
    if losses.input_gradients is not None:
        discriminator = tape.gradient(targets, variables, [*at_logits, *unit])
        _, fake_inputs = losses.input_gradients
    else:
        at_logits[1], factor = shared_direction(at_logits[1], factor)
        *discriminator, fake_inputs = tape.gradient(
            targets, [*variables, inputs.fake], [*at_logits, *unit]
        )
    _check_depends(gan, fake_inputs)
    discriminator = with_directions(gan, tape, losses.logits, discriminator)
    factor = ops.cast(factor, fake_inputs.dtype)
    fake_inputs *= ops.reshape(factor, per_sample_shape(fake_inputs))
    return Gradients(discriminator, fake_inputs, losses.logits, losses.logs)


def lazy(strategy: Strategy) -> Strategy:
    """A strategy whose gradient penalties are computed every so many steps.

    Reference:
        [Karras et al., 2019](https://arxiv.org/abs/1912.04958), appendix B
    """

    def strategy_when_due(
        gan: "AdversarialModel",
        inputs: DiscriminatorInputs,
        *,
        with_generator: bool = True,
    ) -> Gradients:
        replicas = gan.distribute_strategy.num_replicas_in_sync
        if replicas > 1 and gan.discriminator.non_trainable_variables:
            # Replicas cannot agree on new state inside a branch: the penalty is
            # computed at every step, and weighs nothing where it is not due.
            return strategy(gan, inputs, with_generator=with_generator)

        def branch(*, due: bool) -> Gradients:
            gradients = strategy(
                gan,
                inputs,
                with_generator=with_generator,
                with_gradient_penalties=due,
            )
            variables = gan.discriminator.trainable_variables
            return gradients._replace(
                discriminator=[
                    tf.zeros(variable.shape, variable.dtype)
                    if gradient is None
                    else tf.convert_to_tensor(gradient)
                    for gradient, variable in zip(
                        gradients.discriminator, variables, strict=True
                    )
                ],
                fake_inputs=gradients.fake_inputs if with_generator else (),
            )

        update = _updates_before(gan, inputs)
        penalties = gan.objective.gradient_penalties
        due = tf.reduce_any([update % penalty.every == 0 for penalty in penalties])
        gradients = tf.cond(due, lambda: branch(due=True), lambda: branch(due=False))
        return gradients if with_generator else gradients._replace(fake_inputs=None)

    return strategy_when_due


def _updates_before(gan: "AdversarialModel", inputs: DiscriminatorInputs) -> Any:
    """Discriminator updates before this one, an int64 scalar."""
    return gan.step * gan.substeps + inputs.substep


def second_pass(
    gan: "AdversarialModel", inputs: DiscriminatorInputs, gradients: Gradients
) -> Gradients:
    """The generator's gradient and losses under the discriminator as it now is."""
    with tf.GradientTape() as tape:
        tape.watch(inputs.fake)
        real, fake = _seen(gan, inputs)
        judged = gan.discriminate(real, fake, inputs.labels, training=True)
        logs = gan.objective.evaluate(judged.outputs, inputs.labels)
        loss = scaled_loss(gan.objective.total("g", logs), gan.generator_optimizer)
    own = {key: value for key, value in logs.items() if key.startswith("g_")}
    return gradients._replace(
        fake_inputs=tape.gradient(loss, inputs.fake), logs={**gradients.logs, **own}
    )


def shares_input_gradients(gan: "AdversarialModel") -> bool:
    """Whether gradient penalties may use the gradients of the step's own logits.

    They may where no logit depends on other samples, and none is rounded.
    """
    half = computes_in(gan.discriminator, *HALF_PRECISION)
    penalties = gan.objective.gradient_penalties
    at_inputs = any(penalty.at_batch_inputs for penalty in penalties)
    return gan.is_per_sample and not half and at_inputs


def shared_direction(
    discriminator_gradient: Any, generator_gradient: Any
) -> tuple[Any, Any]:
    """How one backward pass carries the gradients of two losses.

    Below a logit that depends on one sample alone, the generator's gradient is

        r = generator_gradient / discriminator_gradient

    times the discriminator's. Where the latter is 0 or nearly so, as where an
    image is surely fake, 2^-40 of the generator's takes its place, which rounds
    to nothing beside the other samples.

    Args:
        discriminator_gradient: Gradient of its loss in fake logits, `(batch, 1)`.
        generator_gradient: Gradient of its loss in them.

    Returns:
        The gradient to carry down from the fake logits, and `r`.
    """
    floor = 2.0**-40 * generator_gradient
    tiny = ops.abs(discriminator_gradient) < ops.abs(floor)
    carried = ops.where(tiny, floor, discriminator_gradient)
    return carried, tf.math.divide_no_nan(generator_gradient, carried)


@dataclass(frozen=True)
class _Losses:
    """Both networks' losses on one batch, under a tape.

    Args:
        tape: The persistent tape.
        logits: Float32 logits of real and of fake inputs.
        input_gradients: Gradients of the logits in the images, or `None`.
        discriminator: What the discriminator loses by its logits, scaled.
        beside_logits: List of what else it loses, scaled: gradient penalties, its
            weights' regularizers, what its layers added.
        generator: The generator's loss, scaled.
        logs: A dict from log keys to float32 scalars.
    """

    tape: tf.GradientTape
    logits: list[Any]
    input_gradients: list[Any] | None
    discriminator: Any
    beside_logits: list[Any]
    generator: Any
    logs: dict[str, Any]

    @classmethod
    def of(
        cls,
        gan: "AdversarialModel",
        inputs: DiscriminatorInputs,
        *,
        with_gradient_penalties: bool,
    ) -> "_Losses":
        objective, labels = gan.objective, inputs.labels
        real, fake = inputs.real, inputs.fake
        due = with_gradient_penalties and bool(objective.gradient_penalties)
        input_gradients, beside_logits = None, []
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(fake)
            with tf.GradientTape() as logits_tape:
                logits_tape.watch([real, fake])
                seen = _seen(gan, inputs)
                judged = gan.discriminate(seen[0], seen[1], labels, training=True)
                logits = [logits_of(output) for output in judged.outputs]
            if due and shares_input_gradients(gan):
                input_gradients = logits_tape.gradient(logits, [real, fake])
            logs = objective.evaluate(judged.outputs, labels)
            discriminator = objective.total("d", logs)
            known = input_gradients or (None, None)
            sides = tuple(
                DiscriminatorOutput(
                    tf.stop_gradient(seen[side]),
                    logits[side],
                    known[side],
                    tf.stop_gradient(images),
                    functools.partial(gan.perturb, substep=inputs.substep, side=side),
                )
                for side, images in enumerate((real, fake))
            )
            if objective.penalties:
                logs["d_penalty"] = _penalty(gan, inputs, sides, of_gradients=False)
                discriminator += logs["d_penalty"]
            discriminator = scaled_loss(discriminator, gan.discriminator_optimizer)
            if due:
                penalty = _penalty(gan, inputs, sides, of_gradients=True)
                logs["d_penalty"] += penalty
                beside_logits.append(scaled_loss(penalty, gan.discriminator_optimizer))
            added = [*judged.losses, *regularizations(gan.discriminator)]
            if added:
                logs["d_regularization"] = total_of(added)
                beside_logits.append(
                    scaled_loss(logs["d_regularization"], gan.discriminator_optimizer)
                )
            generator = scaled_loss(objective.total("g", logs), gan.generator_optimizer)
        return cls(
            tape,
            logits,
            input_gradients,
            discriminator,
            beside_logits,
            generator,
            logs,
        )


def _seen(gan: "AdversarialModel", inputs: DiscriminatorInputs) -> tuple[Any, Any]:
    """Real and fake images as the discriminator sees them."""
    real = gan.perturb(inputs.real, inputs.substep, side=0)
    return real, gan.perturb(inputs.fake, inputs.substep, side=1)


def _penalty(
    gan: "AdversarialModel",
    inputs: DiscriminatorInputs,
    sides: tuple[DiscriminatorOutput, ...],
    *,
    of_gradients: bool,
) -> Any:
    """Sum of the weighted penalties of one kind that are due at this update."""
    update = _updates_before(gan, inputs)

    def critic(images: Any) -> Any:
        return stateless_logits(gan.discriminator, images, inputs.labels)

    real, fake = sides
    total = 0.0
    for index, regularizer in enumerate(gan.objective.penalties):
        if regularizer.needs_input_gradients == of_gradients:
            seed = gan.step_seed(inputs.substep, seeds.PENALTY, index)
            penalty = regularizer.penalty(critic, real, fake, seed)
            weight = regularizer.weight_at(gan.step) * regularizer.every
            for factor in (weight, update % regularizer.every == 0):
                penalty *= ops.cast(factor, penalty.dtype)
            total += penalty
    return total
