"""The table of settings: what decides the images of a run, and what watches it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ganlab.config import choices
from ganlab.config.monitoring import Monitoring as Monitoring
from ganlab.config.table import GROUPS, Setting, Settings, documented, rows, setting

BY_DATA = "by size of the images"
in_run, in_data, in_networks, in_objective, in_training = (
    partial(setting, group=group) for group in GROUPS[:-1]
)


@documented
@dataclass(frozen=True)
class Recipe(Settings):
    """Everything that decides the images: equal recipes draw equal images."""

    preset: str = in_run(
        "dcgan", "preset that the other settings start from", metavar="NAME", flag=True
    )
    data: str = in_run(
        "fashion_mnist",
        "data SPEC: fashion_mnist (embedded), folder:DIR, npz:FILE, "
        "tfrecord:FILES, webdataset:FILES, idx:DIR[:train|:test], "
        "tfds:NAME[/CONFIG][:SPLIT], emoji:google[:DIR], emoji:twitter[:DIR], or the "
        "toy 2-D mixtures ring and grid",
        metavar="SPEC",
        flag=True,
    )
    steps: int = in_run(
        6000, "length of the run in generator batches", minimum=1, flag=True
    )
    seed: int = in_run(
        0, "seed of weights, latents and the order of the data", minimum=0, flag=True
    )
    image_size: int | str | tuple[int, int] | None = in_data(
        None,
        "side of the images in pixels, or height and width such as 48x96",
        minimum=16,
        maximum=512,
        unset="the data's own",
        flag=True,
        metavar="SIZE",
        sized=True,
    )
    channels: int | None = in_data(
        None,
        "1 for grey, 2 for grey and opacity, 3 for colour, 4 for colour and opacity",
        choices=(1, 2, 3, 4),
        unset="the data's own, without opacity",
        flag=True,
    )
    background: str = in_data(
        "white",
        "colour under transparent pictures, a name or #rrggbb; where opacity is kept, "
        "the colour of what is not seen",
        flag=True,
        metavar="COLOUR",
    )
    flip: bool = in_data(False, "mirror images left to right at random", flag=True)
    conditional: bool | None = in_data(
        None,
        "give both networks the class",
        unset="where the data has classes",
        flag=True,
    )
    network: str | None = in_networks(
        None,
        "architecture of both networks",
        choices=choices.NETWORKS,
        unset="dcgan, or mlp for toy 2-D mixtures",
        flag=True,
    )
    latent_dim: int | None = in_networks(
        None,
        "size of the noise vector",
        minimum=1,
        unset="64, or 2 for toy 2-D mixtures",
        generator="latent_dim",
    )
    generator_filters: int = in_networks(
        32,
        "channels of the generator's largest feature maps",
        minimum=1,
        networks=("dcgan", "resnet", "r3gan", "projected"),
        generator="base_filters",
    )
    discriminator_filters: int = in_networks(
        32,
        "channels of the discriminator's largest feature maps",
        minimum=1,
        networks=("dcgan", "resnet", "r3gan", "projected"),
        discriminator="base_filters",
    )
    num_blocks: int = in_networks(
        2,
        "residual blocks at each size",
        minimum=1,
        networks=("r3gan",),
        generator="num_blocks",
        discriminator="num_blocks",
    )
    upsampling: str = in_networks(
        "transposed",
        "how the generator enlarges feature maps",
        choices=choices.UPSAMPLINGS,
        networks=("dcgan",),
        generator="upsampling",
    )
    downsampling: str = in_networks(
        "stride",
        "how the discriminator shrinks feature maps",
        choices=choices.DOWNSAMPLINGS,
        networks=("dcgan",),
        discriminator="downsampling",
    )
    kernel_size: int = in_networks(
        4,
        "side of every kernel",
        minimum=1,
        networks=("dcgan",),
        generator="kernel_size",
        discriminator="kernel_size",
    )
    generator_activation: str | None = in_networks(
        None,
        "activation between the generator's layers",
        choices=choices.ACTIVATIONS,
        unset="the network's own",
        networks=("dcgan", "mlp"),
        generator="activation",
    )
    discriminator_activation: str | None = in_networks(
        None,
        "activation between the discriminator's layers; maxout for mlp alone",
        choices=(*choices.ACTIVATIONS, "maxout"),
        unset="the network's own",
        networks=("dcgan", "mlp"),
        discriminator="activation",
    )
    output_activation: str = in_networks(
        "tanh",
        "last activation of the generator; sigmoid for images in [0, 1]",
        choices=("tanh", "sigmoid"),
        networks=("dcgan",),
        generator="output_activation",
    )
    generator_normalization: str | None = in_networks(
        None,
        "normalisation between the generator's layers",
        choices=choices.NORMALIZATIONS,
        unset="the network's own",
        networks=("dcgan", "mlp"),
        generator="normalization",
    )
    discriminator_normalization: str | None = in_networks(
        None,
        "normalisation between the discriminator's layers",
        choices=choices.NORMALIZATIONS,
        unset="batch under 64 pixels where nothing regularizes, or none",
        networks=("dcgan",),
        discriminator="normalization",
    )
    spectral_norm: bool = in_networks(
        False,
        "normalise the discriminator's kernels spectrally",
        networks=("dcgan", "resnet"),
        discriminator="spectral_norm",
    )
    attention: bool = in_networks(
        False,
        "self-attention in both networks",
        networks=("resnet",),
        generator="attention",
        discriminator="attention",
    )
    minibatch_stddev: bool = in_networks(
        False,
        "give the discriminator the batch's standard deviation",
        networks=("dcgan", "resnet", "r3gan", "mlp"),
        discriminator="minibatch_stddev",
    )
    packing: int = in_networks(
        1,
        "samples that the discriminator is given at once",
        minimum=1,
        discriminator="packing",
    )
    generator_conditioning: str = in_networks(
        "concat",
        "how the generator takes the class",
        choices=choices.GENERATOR_CONDITIONINGS,
        networks=("dcgan", "resnet", "projected"),
        generator="conditioning",
    )
    discriminator_conditioning: str = in_networks(
        "projection",
        "how the discriminator takes the class",
        choices=choices.DISCRIMINATOR_CONDITIONINGS,
        networks=("dcgan", "resnet", "r3gan"),
        discriminator="conditioning",
    )
    frozen_features: str = in_networks(
        "imagenet",
        "weights of the frozen network under the discriminator",
        choices=choices.FROZEN_FEATURES,
        networks=("projected",),
        discriminator="frozen_features",
    )
    feature_size: int | None = in_networks(
        None,
        "shorter side of images as the frozen network sees them, a multiple of 32",
        minimum=32,
        unset="that of the images, rounded up, and 64 or more",
        networks=("projected",),
        discriminator="feature_size",
    )
    loss: str = in_objective(
        "non_saturating",
        "adversarial loss",
        choices=choices.LOSSES,
        flag=True,
        midway=True,
    )
    label_smoothing: float = in_objective(
        0.0,
        "one-sided smoothing of the real target",
        minimum=0,
        below=0.5,
        flag=True,
        midway=True,
    )
    san: bool = in_objective(
        False,
        "train the direction of the discriminator's last layer apart, as SAN",
        flag=True,
        discriminator="san",
    )
    regularizer: str = in_objective(
        "none",
        "penalties on the discriminator",
        choices=choices.REGULARIZERS,
        separator="+",
        flag=True,
        midway=True,
    )
    regularizer_weight: float | None = in_objective(
        None,
        "weight of each regularizer",
        minimum=0,
        unset="the regularizer's own",
        midway=True,
    )
    regularizer_every: int = in_objective(
        1, "steps between penalties", minimum=1, midway=True
    )
    augmentation: str = in_objective(
        "none",
        "augmentation of what the discriminator is given",
        choices=choices.AUGMENTATIONS,
        flag=True,
        midway=True,
    )
    augmentation_policy: str = in_objective(
        "color,translation,cutout",
        "transformations of diffaugment",
        choices=choices.AUGMENTATION_POLICIES,
        separator=",",
        midway=True,
    )
    instance_noise: float = in_objective(
        0.0,
        "standard deviation of the noise on the discriminator's inputs at first; it "
        "fades to 0 over the run",
        minimum=0,
        midway=True,
    )
    updates: str = in_training(
        "simultaneous",
        "whether both networks are updated from one pass or in turn",
        choices=choices.UPDATES,
    )
    recompute: bool = in_training(False, "generate images twice a step to save memory")
    discriminator_steps: int = in_training(
        1, "discriminator updates for each generator update", minimum=1, midway=True
    )
    generator_learning_rate: float | None = in_training(
        None,
        "learning rate of the generator's Adam",
        minimum=0,
        unset=BY_DATA,
        midway=True,
    )
    discriminator_learning_rate: float | None = in_training(
        None,
        "learning rate of the discriminator's Adam",
        minimum=0,
        unset=BY_DATA,
        midway=True,
    )
    beta_1: float = in_training(
        0.5, "Adam's decay of the first moment", minimum=0, below=1, midway=True
    )
    beta_2: float = in_training(
        0.999, "Adam's decay of the second moment", minimum=0, below=1, midway=True
    )
    gradient_clip: float | None = in_training(
        None,
        "largest norm of a network's gradient",
        above=0,
        unset="no clipping",
        midway=True,
    )
    final_rate_share: float = in_training(
        1.0,
        "fraction of both learning rates at the run's end, along half a cosine",
        minimum=0,
    )
    final_beta_2: float | None = in_training(
        None, "beta_2 at the run's end, likewise", minimum=0, below=1, unset="beta_2"
    )
    final_weight_share: float = in_training(
        1.0,
        "fraction of the regularizers' weights at the run's end, likewise",
        minimum=0,
    )
    ema_decay: float = in_training(
        0.999, "weight of the past in the averaged generator", minimum=0, below=1
    )
    batch_size: int = in_training(
        64, "real images for each discriminator update", minimum=1, flag=True
    )
    gradient_accumulation_steps: int = in_training(
        1, "batches whose mean gradient makes one update of each network", minimum=1
    )
    dtype_policy: str = in_training(
        "float32",
        "Keras dtype policy of both networks",
        choices=choices.DTYPE_POLICIES,
        flag=True,
    )
    loss_scaling: bool = in_training(
        True, "scale losses where a network computes in float16", midway=True
    )
    skip_non_finite: bool = in_training(
        False, "leave out a step whose losses or gradients are not finite", midway=True
    )


SETTINGS: Mapping[str, Setting] = {**rows(Recipe), **rows(Monitoring)}


def split_settings(
    settings: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the settings of the recipe and those of the monitoring."""
    monitoring = rows(Monitoring)
    return (
        {name: value for name, value in settings.items() if name not in monitoring},
        {name: value for name, value in settings.items() if name in monitoring},
    )


def keep_networks(names: Iterable[str]) -> bool:
    """Whether training can go on from the same weights when these settings change."""
    return all(name in SETTINGS and SETTINGS[name].midway for name in names)
