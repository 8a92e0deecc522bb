"""Keeps what the first step that was not finite was given, and finds where it began."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from ganlab.callbacks.nonfinite import first_nonfinite_of_step
from ganlab.files import atomic_file
from ganlab.models.gan import GAN
from ganlab.models.skipping import state_of
from ganlab.runs import RunFolder

LOGGER = logging.getLogger("ganlab")


class BlackBox:
    """Writes `black_box.npz`: what a step was given, and what was not finite in it.

    Its arrays are `step`, counted from 1; `loss` and `tensor`, names; `images`, as the
    networks take them; `labels` of a conditional GAN; and `latents`, of shape
    `(discriminator_steps, batch_size, latent_dim)`. The first such step of a training
    is kept.

    What was not finite first is found by the step once more, from the weights before
    it. Of a GAN that leaves such steps out these are its own; else the steps since the
    last checkpoint are trained once more.

    Args:
        folder: The run's folder.
        batches_from: Function of a `start_step` that gives the batches from there on.
        build: Function that builds the GAN as it was before the first step.
    """

    def __init__(
        self,
        folder: RunFolder,
        batches_from: Callable[..., tf.data.Dataset],
        build: Callable[[], GAN],
    ) -> None:
        self.folder = folder
        self.batches_from = batches_from
        self.build = build
        self._kept = False

    def __call__(self, gan: GAN, step: int, loss: str) -> str | None:
        """Names the first tensor of a step that was not finite, or `None`.

        Args:
            gan: The GAN after the step. It is as before it in the end, but for `step`.
            step: Integer, counted from 1.
            loss: Log key of what was seen not to be finite.
        """
        batch = next(iter(self.batches_from(start_step=step - 1)))
        if not gan.skip_non_finite:
            self._go_back(gan, step - 1)
        gan.step.assign(step - 1)
        tensor = first_nonfinite_of_step(gan, batch)
        if not self._kept:
            self._write(gan, step, loss, tensor, batch)
            self._kept = True
        gan.step.assign(step)
        return tensor

    def _go_back(self, gan: GAN, step: int) -> None:
        """Trains from the last checkpoint to a step once more."""
        start, checkpoint = self.folder.last_checkpoint_before(step + 1) or (0, None)
        LOGGER.info(
            "Trains steps %d to %d once more, to find what was not finite first",
            start,
            step,
        )
        if checkpoint is not None:
            gan.load_weights(checkpoint)
        else:
            fresh = self.build()
            gan.step.assign(0)
            for variable, value in zip(state_of(gan), state_of(fresh), strict=True):
                variable.assign(value)
        batches = iter(self.batches_from(start_step=start))
        for _ in range(start, step):
            gan.train_function(batches)

    def _write(
        self, gan: GAN, step: int, loss: str, tensor: str | None, batch: Any
    ) -> None:
        images, *labels = batch if isinstance(batch, tuple) else (batch,)
        count = images.shape[0] // gan.discriminator_steps
        latents = [
            ops.convert_to_numpy(gan.training_latents(count, substep))
            for substep in range(gan.discriminator_steps)
        ]
        arrays = {
            "step": np.int64(step),
            "loss": np.str_(loss),
            "tensor": np.str_(tensor or ""),
            "images": images.numpy(),
            "latents": np.stack(latents),
        }
        if labels:
            arrays["labels"] = labels[0].numpy()
        with atomic_file(self.folder.black_box) as temporary:
            np.savez_compressed(temporary, **arrays)
