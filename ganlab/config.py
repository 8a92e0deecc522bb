"""What is a run made of, said once and written down?"""

import dataclasses
from dataclasses import dataclass

from ganlab.errors import UserError, unknown_name

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a run; equal configs draw equal images.

    Args:
        preset: Name of the preset that the rest began from.
        data: Data SPEC; see `ganlab.sources`.
        image_size: Pixels a side, or `None` for the data's own.
        channels: 1, 3, or `None` for the data's own.
        flip: Whether images are mirrored left to right at random.
        cache: `memory` or `disk`: where decoded images are kept.
        conditional: Whether the class is an input of both players; `None`
            for wherever the data has classes.
        latent_dim: Size of the noise vector.
        generator_filters: Channels of the generator's last hidden map.
        discriminator_filters: Channels of the discriminator's first map.
        upsampling: `transposed`, `nearest` or `bilinear`.
        discriminator_normalization: `batch`, `layer`, `none`, or `None` for
            what `at_image_size` says.
        loss: A name of `ganlab.losses.LOSSES`.
        label_smoothing: One-sided smoothing of the real target, in [0, 0.5).
        discriminator_steps: Discriminator updates for each of the generator's.
        generator_learning_rate: Adam's, or `None` for what `at_image_size` says.
        discriminator_learning_rate: Likewise.
        beta_1: Adam's, for both players.
        ema_decay: Weight of the past in the averaged generator.
        batch_size: Real images for each discriminator update.
        steps: Generator updates in all.
        seed: Seeds weights, latents and the order of the data.
        precision: A Keras dtype policy of `PRECISIONS`.
        log_every: Steps between logged numbers.
        sample_every: Steps between sample grids.
        checkpoint_every: Steps between checkpoints.
    """

    preset: str = "dcgan"
    data: str = "fashion_mnist"
    image_size: int | None = None
    channels: int | None = None
    flip: bool = False
    cache: str = "memory"
    conditional: bool | None = None
    latent_dim: int = 64
    generator_filters: int = 32
    discriminator_filters: int = 32
    upsampling: str = "transposed"
    discriminator_normalization: str | None = None
    loss: str = "non_saturating"
    label_smoothing: float = 0.0
    discriminator_steps: int = 1
    generator_learning_rate: float | None = None
    discriminator_learning_rate: float | None = None
    beta_1: float = 0.5
    ema_decay: float = 0.999
    batch_size: int = 64
    steps: int = 6000
    seed: int = 0
    precision: str = "float32"
    log_every: int = 50
    sample_every: int = 500
    checkpoint_every: int = 500

    def __post_init__(self):
        if self.precision not in PRECISIONS:
            raise unknown_name("precision", self.precision, PRECISIONS)
        for name, least in (
            ("steps", 1),
            ("batch_size", 1),
            ("latent_dim", 1),
            ("discriminator_steps", 1),
            ("seed", 0),
            ("log_every", 1),
            ("sample_every", 1),
            ("checkpoint_every", 1),
        ):
            value = getattr(self, name)
            if value < least:
                raise UserError(
                    f"Expected {name.replace('_', ' ')} of {least} or more. "
                    f"Received: {value}"
                )

    def at_image_size(self, image_size, channels):
        """Returns the config with nothing left to the data.

        Under 64 pixels the discriminator has batch normalisation and both
        players learn at 5e-4; from 64 pixels on it has none and they learn at
        2e-4, for there a discriminator with batch normalisation wins at once.
        """
        small = image_size < 64
        chosen = {
            "discriminator_normalization": "batch" if small else "none",
            "generator_learning_rate": 5e-4 if small else 2e-4,
            "discriminator_learning_rate": 5e-4 if small else 2e-4,
        }
        unset = {k: v for k, v in chosen.items() if getattr(self, k) is None}
        return self.replace(image_size=image_size, channels=channels, **unset)

    def replace(self, **changes):
        """Returns a copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def as_dict(self):
        """Returns the fields as a flat dict of JSON values."""
        return dataclasses.asdict(self)


PRESETS = {"dcgan": TrainConfig()}


def get_preset(name):
    """Returns the preset of that name.

    Raises:
        UserError: for an unknown name, with the known ones.
    """
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    return PRESETS[name]
