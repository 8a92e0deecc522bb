"""What the updates of a training step see: batches, latents, discriminator inputs."""

from typing import TYPE_CHECKING, Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from ganlab.models import forward, reading, seeds

if TYPE_CHECKING:
    from ganlab.models.adversarial import AdversarialModel
    from ganlab.models.gan import GAN


class Batch(NamedTuple):
    """What one discriminator update, the `substep`-th of its step, trains on.

    Args:
        images: Float tensor `(batch, ...)`: real images.
        labels: Int tensor `(batch,)`, or `None`.
        inputs: What the generator is called on, but for labels: flat latents.
        substep: Integer.
    """

    images: Any
    labels: Any
    inputs: Any
    substep: int


class Generated(NamedTuple):
    """Fake images and the tape of their generation.

    Args:
        images: Tensor `(batch, ...)`, packed.
        tape: The tape of images and losses.
        losses: A list of scalars that the generator loses besides.
        logs: A dict from log keys to float32 scalars: what these losses are made of.
    """

    images: Any
    tape: tf.GradientTape
    losses: list[Any]
    logs: dict[str, Any]


class DiscriminatorInputs(NamedTuple):
    """What one discriminator update judges.

    Args:
        real: Tensor `(batch, ...)`: real images, packed.
        fake: Likewise, of generated images.
        labels: Int tensor `(batch,)`, or `None`.
        substep: Integer: which of the step's discriminator updates.
    """

    real: Any
    fake: Any
    labels: Any
    substep: int


def split(gan: "GAN", data: Any) -> list[Batch]:
    """Cuts a step's data into a batch for each discriminator update.

    What is left over is not trained on, as in the last batch of an epoch.
    """
    size = gan.substeps * gan.packing
    images, labels = (
        reading.whole_groups(values, size) for values in reading.read(gan, data)
    )
    image_parts = ops.split(images, gan.substeps)
    label_parts = [None] * gan.substeps
    if labels is not None:
        label_parts = ops.split(labels, gan.substeps)
    return [
        Batch(part, labels, gan.training_latents(ops.shape(part)[0], substep), substep)
        for substep, (part, labels) in enumerate(
            zip(image_parts, label_parts, strict=True)
        )
    ]


def generate(gan: "GAN", batch: Batch) -> Generated:
    """Generates fake images from a batch's latents."""
    with tf.GradientTape() as tape:
        images = forward.call(gan.generator, batch.inputs, batch.labels, training=True)
        images = forward.pack(images, gan.packing)
        logs = added(gan.generator)
    return Generated(images, tape, list(logs.values()), logs)


def added(generator: keras.Model) -> dict[str, Any]:
    """What regularizers and `add_loss` of a generator's layers add, if anything."""
    losses = forward.added_losses(generator) + forward.regularizations(generator)
    return {"g_regularization": forward.total_of(losses)} if losses else {}


def generator_state(gan: "AdversarialModel") -> list[Any]:
    """The values of what generation changes, such as batch statistics."""
    variables = gan.trained_generator.non_trainable_variables
    return [tf.identity(value) for value in variables]


def generate_again(
    gan: "AdversarialModel", batch: Batch, state: list[Any], after: Any
) -> Generated:
    """Generates the same images from the state that they began with.

    Args:
        gan: A compiled `ganlab.GAN`.
        batch: The batch that they were generated from.
        state: What `generator_state` gave before.
        after: A tensor: when it has been computed, generation begins.
    """
    variables = gan.trained_generator.non_trainable_variables
    with tf.control_dependencies([after]):
        for variable, value in zip(variables, state, strict=True):
            variable.assign(value)
        inputs = tf.identity(batch.inputs)
    return gan.generate_fakes(batch._replace(inputs=inputs))


def discriminator_inputs(
    gan: "GAN", batch: Batch, generated: Generated
) -> DiscriminatorInputs:
    """A batch's real images beside generated ones."""
    real = forward.pack(ops.cast(batch.images, generated.images.dtype), gan.packing)
    return DiscriminatorInputs(real, generated.images, batch.labels, batch.substep)


def perturbed(gan: "AdversarialModel", images: Any, substep: int, side: int) -> Any:
    """Packed images as the discriminator sees them: augmented and noisy.

    Args:
        gan: A compiled `ganlab.GAN`.
        images: Float tensor `(batch, ...)`.
        substep: Integer: which of the step's discriminator updates.
        side: 0 for real images, 1 for fake ones.
    """
    images = gan.objective.perturb(
        forward.unpack(images, gan.packing),
        gan.step,
        image_range=gan.output_range,
        augmentation_seed=lambda: gan.step_seed(substep, seeds.AUGMENTATION, side),
        noise_seed=lambda: gan.step_seed(substep, seeds.NOISE, side),
    )
    return forward.pack(images, gan.packing)
