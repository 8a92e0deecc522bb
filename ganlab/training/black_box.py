"""Keeps the batch of the first step whose loss or gradient was not finite."""

import numpy as np
import tensorflow as tf
from keras import ops

from ganlab.callbacks.training_metrics import NonFiniteError
from ganlab.files import atomic_file
from ganlab.models.gan import GAN
from ganlab.runs import RunFolder


def write_black_box(
    folder: RunFolder, gan: GAN, error: NonFiniteError, batches: tf.data.Dataset
) -> None:
    """Writes `black_box.npz`: what the step was given, and what was not finite in it.

    Its arrays are `step`, counted from 1; `loss` and `tensor`, names; `images`, as the
    networks take them; `labels` of a conditional GAN; and `latents`, of shape
    `(discriminator_steps, batch_size, latent_dim)`.

    Args:
        folder: The run's folder.
        gan: The `ganlab.GAN` that was trained.
        error: The error that ended training.
        batches: Batches, of which the first is that of the step.
    """
    batch = next(iter(batches))
    images, *labels = batch if isinstance(batch, tuple) else (batch,)
    count = images.shape[0] // gan.discriminator_steps
    last_step = int(gan.step.numpy())
    gan.step.assign(error.step - 1)
    latents = [
        ops.convert_to_numpy(gan.training_latents(count, substep))
        for substep in range(gan.discriminator_steps)
    ]
    gan.step.assign(last_step)
    arrays = {
        "step": np.int64(error.step),
        "loss": np.str_(error.loss),
        "tensor": np.str_(error.tensor or ""),
        "images": images.numpy(),
        "latents": np.stack(latents),
    }
    if labels:
        arrays["labels"] = labels[0].numpy()
    with atomic_file(folder.black_box) as temporary:
        np.savez_compressed(temporary, **arrays)
