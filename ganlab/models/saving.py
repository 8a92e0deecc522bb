"""Loads a GAN from a checkpoint."""

from pathlib import Path

import keras

from ganlab.errors import UserError
from ganlab.models.gan import GAN
from ganlab.objectives.schedules import ScheduledAdam
from ganlab.safety.sealed import damage

CUSTOM_OBJECTS = {"ganlab>ScheduledAdam": ScheduledAdam}  # which GAN does not import


def load_gan(path: str | Path) -> GAN:
    """Loads a compiled GAN, both optimizers' state included.

    Args:
        path: A `.keras` file, such as `ganlab.runs.RunFolder.find_checkpoint` gives.

    Raises:
        UserError: for a file that is damaged, or that is no GAN's.
    """
    wrong = damage(path)
    if wrong is not None:
        raise UserError(
            f"Expected a whole .keras file. Received: {path} ({wrong}); load another "
            "checkpoint"
        )
    return keras.saving.load_model(path, custom_objects=CUSTOM_OBJECTS, safe_mode=True)
