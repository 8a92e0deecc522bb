"""What decides a run: the recipe of its images, and the monitoring beside it."""

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any, Self

from ganlab.errors import UserError, unknown_name

SQUARED_GRADIENTS = ("r1", "r2", "r1+r2")  # regularizers whose weight has a default
DTYPE_POLICIES = ("float32", "mixed_float16", "mixed_bfloat16")
RECIPE_MINIMUM = {
    "batch_size": 1,
    "discriminator_filters": 1,
    "discriminator_steps": 1,
    "generator_filters": 1,
    "instance_noise": 0,
    "kernel_size": 1,
    "gradient_accumulation_steps": 1,
    "latent_dim": 1,
    "num_blocks": 1,
    "packing": 1,
    "regularizer_every": 1,
    "regularizer_weight": 0,
    "seed": 0,
    "steps": 1,
}
MONITORING_MINIMUM = {
    "checkpoint_every": 1,
    "evaluate_every": 1,
    "evaluate_images": 6,
    "log_every": 1,
    "sample_every": 1,
    "probe_every": 1,
}


@dataclass(frozen=True)
class _Settings:
    """What `Recipe` and `Monitoring` share."""

    def replace(self, **changes: Any) -> Self:
        """Returns a copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as a flat dict of JSON values."""
        return dataclasses.asdict(self)

    def _check_minimum(self, bounds: dict[str, int]) -> None:
        for name, minimum in bounds.items():
            value = getattr(self, name)
            if value is not None and not value >= minimum:
                raise UserError(
                    f"Expected {name.replace('_', ' ')} of {minimum} or more. "
                    f"Received: {value}"
                )


@dataclass(frozen=True)
class Recipe(_Settings):
    """Everything that decides the images: equal recipes draw equal images.

    Args:
        preset: Name of the preset that the rest began from.
        data: A data SPEC: see `ganlab.load_data`.
        image_size: Side of the images in pixels, or `None` for the data's own.
        channels: 1, 3, or `None` for the data's own.
        flip: Whether images are mirrored left to right at random.
        conditional: Whether the class is an input of both players; `None`
            for wherever the data has classes.
        network: `dcgan` (which is `None`), `resnet` or `r3gan` for images.
            Points always have `mlp`.
        latent_dim: Size of the noise vector, or `None` for what `completed` says.
        generator_filters: `base_filters` of the generator.
        discriminator_filters: `base_filters` of the discriminator.
        num_blocks: Residual blocks at each size, for `r3gan`.
        upsampling: `transposed`, `nearest` or `bilinear`, for `dcgan`.
        downsampling: `stride`, `average_pool` or `max_pool`, for `dcgan`.
        kernel_size: Side of every kernel of `dcgan`.
        generator_activation: `relu`, `leaky_relu`, `tanh`, `sigmoid`, or `None`
            for the network's own; for `dcgan` and `mlp`, as is what follows.
        discriminator_activation: Likewise, or `maxout` for `mlp`.
        output_activation: `tanh`, or `sigmoid` for images in [0, 1]; for `dcgan`.
        generator_normalization: `batch`, `layer`, `none`, or `None` for the
            network's own.
        discriminator_normalization: `batch`, `layer`, `none`, or `None` for
            what `completed` says; for `dcgan`.
        spectral_norm: Whether the discriminator's kernels are normalised
            spectrally.
        attention: Whether both players of `resnet` attend to themselves.
        minibatch_stddev: Whether the discriminator sees how much samples differ.
        packing: Samples that the discriminator judges at once.
        generator_conditioning: `concat` or `batch_norm`.
        discriminator_conditioning: `projection` or `auxiliary`.
        loss: A name of `ganlab.losses.LOSSES`.
        label_smoothing: One-sided smoothing of the real target, in [0, 0.5).
        regularizer: `none`, or names of `ganlab.regularizers.REGULARIZERS`
            joined by `+`.
        regularizer_weight: Weight of each, or `None` for its own default.
        regularizer_every: Steps between penalties.
        augmentation: `none` or a name of `AUGMENTATIONS` in `ganlab.augmentation`.
        augmentation_policy: What `diffaugment` does: some of `color`,
            `translation`, `cutout`, joined by commas.
        instance_noise: Standard deviation of the noise on what the
            discriminator sees at first; it fades to 0 over the run.
        updates: `simultaneous` or `alternating`: see `ganlab.GAN.compile`.
        recompute: Whether images are drawn twice to save memory: see there.
        discriminator_steps: Discriminator updates for each of the generator's.
        generator_learning_rate: Adam's, or `None` for what `completed` says.
        discriminator_learning_rate: Likewise.
        beta_1: Adam's, for both players.
        beta_2: Likewise.
        gradient_clip: Largest norm of a player's gradient, or `None`.
        final_rate_share: Share of both learning rates at the run's end, a half
            cosine away; 1 keeps them.
        final_beta_2: Adam's at the run's end, likewise, or `None`.
        final_weight_share: Share of the regularizers' weights at the run's
            end, likewise.
        ema_decay: Weight of the past in the averaged generator.
        batch_size: Real images for each discriminator update.
        gradient_accumulation_steps: Batches whose mean gradient makes one update of
            each player.
        steps: Batches for the generator in all; with the above, as many updates less.
        seed: Seeds weights, latents and the order of the data.
        dtype_policy: A Keras dtype policy of `DTYPE_POLICIES`.
        loss_scaling: Whether losses are scaled where a player computes in float16.
    """

    preset: str = "dcgan"
    data: str = "fashion_mnist"
    image_size: int | None = None
    channels: int | None = None
    flip: bool = False
    conditional: bool | None = None
    network: str | None = None
    latent_dim: int | None = None
    generator_filters: int = 32
    discriminator_filters: int = 32
    num_blocks: int = 2
    upsampling: str = "transposed"
    downsampling: str = "stride"
    kernel_size: int = 4
    generator_activation: str | None = None
    discriminator_activation: str | None = None
    output_activation: str = "tanh"
    generator_normalization: str | None = None
    discriminator_normalization: str | None = None
    spectral_norm: bool = False
    attention: bool = False
    minibatch_stddev: bool = False
    packing: int = 1
    generator_conditioning: str = "concat"
    discriminator_conditioning: str = "projection"
    loss: str = "non_saturating"
    label_smoothing: float = 0.0
    regularizer: str = "none"
    regularizer_weight: float | None = None
    regularizer_every: int = 1
    augmentation: str = "none"
    augmentation_policy: str = "color,translation,cutout"
    instance_noise: float = 0.0
    updates: str = "simultaneous"
    recompute: bool = False
    discriminator_steps: int = 1
    generator_learning_rate: float | None = None
    discriminator_learning_rate: float | None = None
    beta_1: float = 0.5
    beta_2: float = 0.999
    gradient_clip: float | None = None
    final_rate_share: float = 1.0
    final_beta_2: float | None = None
    final_weight_share: float = 1.0
    ema_decay: float = 0.999
    batch_size: int = 64
    gradient_accumulation_steps: int = 1
    steps: int = 6000
    seed: int = 0
    dtype_policy: str = "float32"
    loss_scaling: bool = True

    def __post_init__(self) -> None:
        if self.dtype_policy not in DTYPE_POLICIES:
            raise unknown_name("dtype_policy", self.dtype_policy, DTYPE_POLICIES)
        self._check_minimum(RECIPE_MINIMUM)

    def completed(self, image_size: int | None, channels: int | None) -> Self:
        """Returns the recipe with nothing left to the data.

        Images under 64 pixels: both players learn at 5e-4. From 64 pixels on
        at 2e-4. The `dcgan` discriminator has batch normalisation under 64
        pixels, unless something else holds it: a regularizer or spectral
        normalisation; from 64 pixels on it wins at once with it. Latents have
        64 components. The `r3gan` players learn at 1e-3, and R1 and R2 weigh
        0.5 on them.

        Toy 2-D mixtures: the MLPs learn at 5e-4, or with a regularizer at 2e-3, from 2
        latent components; without one they have batch normalisation and maxout, as
        PacGAN's. The weight of R1 and R2, which is that of a squared
        gradient, is 0.02 times the square of the outermost centre's distance.

        Args:
            image_size: Integer, or `None` for toy 2-D mixtures.
            channels: 1, 3, or `None` for toy 2-D mixtures.
        """
        from ganlab.data import kinds  # NumPy, which --help does without
        from ganlab.data.toy2d import find_mixture

        kind = kinds.of_spec(self.data)
        mixture = find_mixture(self.data)
        if mixture is None:
            chosen = self._defaults_for_images(image_size)
        else:
            reach = float(abs(mixture.centers).max())
            chosen = self._defaults_for_mixture(reach)
        chosen |= {"network": kind.networks[0], "latent_dim": kind.latent_dim}
        unset = {k: v for k, v in chosen.items() if getattr(self, k) is None}
        if len(kind.networks) == 1:
            unset["network"] = kind.networks[0]
        return self.replace(image_size=image_size, channels=channels, **unset)

    @property
    def _is_free(self) -> bool:
        """Whether nothing limits the discriminator."""
        return self.regularizer == "none" and not self.spectral_norm

    def _defaults_for_images(self, image_size: int | None) -> dict[str, Any]:
        small = image_size is not None and image_size < 64
        rate = 5e-4 if small else 2e-4
        if self.network == "r3gan":
            rate = 1e-3
        chosen: dict[str, Any] = {
            "generator_learning_rate": rate,
            "discriminator_learning_rate": rate,
        }
        if self.network in (None, "dcgan"):
            normalization = "batch" if small and self._is_free else "none"
            chosen["discriminator_normalization"] = normalization
        if self.network == "r3gan" and self.regularizer in SQUARED_GRADIENTS:
            chosen["regularizer_weight"] = 0.5
        return chosen

    def _defaults_for_mixture(self, reach: float) -> dict[str, Any]:
        free = self._is_free
        rate = 2e-3
        if free:
            rate = 1e-3 if self.network == "r3gan" else 5e-4
        chosen: dict[str, Any] = {
            "generator_learning_rate": rate,
            "discriminator_learning_rate": rate,
            "generator_normalization": "batch" if free else "none",
            "discriminator_activation": "maxout" if free else "leaky_relu",
        }
        if self.regularizer in SQUARED_GRADIENTS:
            chosen["regularizer_weight"] = round(0.02 * reach**2, 4)
        return chosen


@dataclass(frozen=True)
class Monitoring(_Settings):
    """What watches a run, how often, and where data is kept; no image changes by it.

    Args:
        log_every: Steps between logged numbers.
        sample_every: Steps between sample grids.
        checkpoint_every: Steps between checkpoints.
        evaluate_every: Steps between evaluations, at least.
        evaluate_share: Largest share of the time that they take.
        evaluate_images: Images they score, at most.
        features: SPEC of the extractor they use, or `None` for the default of
            `ganlab.features`.
        probe_every: Steps between looks inside both players, at least.
        probe_share: Largest share of the time that they take.
        cache: `memory` or `disk`: where decoded images are kept.
    """

    log_every: int = 50
    sample_every: int = 500
    checkpoint_every: int = 500
    evaluate_every: int = 500
    evaluate_share: float = 0.1
    evaluate_images: int = 2000
    features: str | None = None
    probe_every: int = 100
    probe_share: float = 0.03
    cache: str = "memory"

    def __post_init__(self) -> None:
        for name in ("probe_share", "evaluate_share"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise UserError(
                    f"Expected {name.replace('_', ' ')} above 0 and at most 1. "
                    f"Received: {getattr(self, name)}"
                )
        self._check_minimum(MONITORING_MINIMUM)


def setting(text):
    """Reads `NAME=VALUE` for a field of `Recipe` or `Monitoring`.

    >>> setting("beta_1=0.0"), setting("gradient_clip=none")
    (('beta_1', 0.0), ('gradient_clip', None))

    Raises:
        UserError: for an unknown name, with the known ones, or a value that
            is not of its type.
    """
    name, _, value = text.partition("=")
    name = name.strip().replace("-", "_")
    types = typing.get_type_hints(Recipe) | typing.get_type_hints(Monitoring)
    del types["preset"]
    if name not in types:
        raise unknown_name("setting", name, types)
    options = typing.get_args(types[name]) or (types[name],)
    value = value.strip()
    named = name.endswith("_normalization")  # where none is a choice
    if type(None) in options and value.lower() == "none" and not named:
        return name, None
    kind = options[0]
    try:
        if kind is bool:
            return name, {"true": True, "false": False}[value.lower()]
        return name, kind(value)
    except (KeyError, ValueError) as error:
        kinds = {bool: "true or false", int: "a whole number", float: "a number"}
        raise UserError(
            f"Expected {kinds[kind]} for {name}. Received: {value!r}"
        ) from error


def dcgan():
    """DCGAN with non-saturating cross-entropy, the field's plain baseline.

    On Fashion-MNIST in 3 minutes on 2 cores: 98 % as recognisable as real
    images, 92 % drawn as asked.
    Paper: https://arxiv.org/abs/1511.06434.
    """
    return Recipe()


def wgan_gp():
    """Wasserstein critic held to slope 1 by a gradient penalty.

    Five critic steps a generator step; `-d_loss` falls as images improve.
    On Fashion-MNIST in 75 seconds on 2 cores: 77 % as recognisable as real
    images, 81 % drawn as asked.
    Paper: https://arxiv.org/abs/1704.00028.
    """
    return Recipe(
        preset="wgan-gp",
        loss="wasserstein",
        regularizer="gradient_penalty",
        discriminator_steps=5,
        generator_learning_rate=5e-4,
        discriminator_learning_rate=5e-4,
        beta_1=0.0,
        beta_2=0.9,
        batch_size=32,
        steps=1000,
    )


def sngan():
    """Spectrally normalised residual players with the hinge loss.

    On Fashion-MNIST in 2 minutes on 2 cores: 58 % as recognisable as real
    images, 54 % drawn as asked. Meant for a GPU: it is far from done.
    Paper: https://arxiv.org/abs/1802.05957.
    """
    return Recipe(
        preset="sngan",
        network="resnet",
        spectral_norm=True,
        generator_conditioning="batch_norm",
        loss="hinge",
        generator_learning_rate=2e-4,
        discriminator_learning_rate=4e-4,
        beta_1=0.0,
        beta_2=0.9,
        batch_size=32,
        steps=1200,
    )


def r3gan():
    """Relativistic pairing with R1 and R2, on players without normalisation.

    Rates and penalties fall and beta_2 rises over the run. Small players, for
    a laptop: raise `generator_filters`, `discriminator_filters` and
    `num_blocks` where there is a GPU.
    On Fashion-MNIST in 3 minutes on 2 cores: 60 % as recognisable as real
    images, 61 % drawn as asked. Meant for a GPU: it is far from done.
    Paper: https://arxiv.org/abs/2501.05441.
    """
    return Recipe(
        preset="r3gan",
        network="r3gan",
        generator_filters=16,
        discriminator_filters=16,
        num_blocks=1,
        loss="relativistic",
        regularizer="r1+r2",
        regularizer_every=4,
        beta_1=0.0,
        beta_2=0.9,
        final_beta_2=0.99,
        final_rate_share=0.05,
        final_weight_share=0.1,
        batch_size=32,
        steps=1500,
    )


def small_data():
    """DCGAN on images that are moved at random, for a thousand images or so.

    On Fashion-MNIST in 4 minutes on 2 cores: 95 % as recognisable as real
    images, 90 % drawn as asked.
    Paper: https://arxiv.org/abs/2006.10738.
    """
    return Recipe(
        preset="small-data",
        discriminator_filters=64,
        discriminator_normalization="none",
        augmentation="diffaugment",
        augmentation_policy="translation",
        generator_learning_rate=1e-3,
        discriminator_learning_rate=1e-3,
        batch_size=32,
        steps=5000,
    )


PRESETS = {make().preset: make for make in (dcgan, wgan_gp, sngan, r3gan, small_data)}


def get_preset(name):
    """Returns the `Recipe` of a preset.

    Raises:
        UserError: for an unknown name, with the known ones.
    """
    name = name.replace("_", "-")
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    return PRESETS[name]()
