"""The settings that networks are built by: one row for each argument of theirs."""

from dataclasses import dataclass
from functools import partial

from ganlab.config import choices
from ganlab.config.table import Settings, setting

in_networks = partial(setting, group="Networks")


@dataclass(frozen=True)
class NetworkSettings(Settings):
    """Which networks a recipe has, and what their functions are called with."""

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
