"""Generators, discriminators, encoders and the layers they are made of."""

from ganlab.networks.discriminators import dcgan_discriminator
from ganlab.networks.encoders import dcgan_encoder, mlp_encoder
from ganlab.networks.generators import dcgan_generator
from ganlab.networks.langevin import Langevin
from ganlab.networks.layers import (
    Basis,
    ChosenClass,
    GroupedConv2D,
    MinibatchStdDev,
    SelfAttention,
    SpectralNormalization,
)
from ganlab.networks.mlps import mlp_discriminator, mlp_generator
from ganlab.networks.projected import projected_discriminator, projected_generator
from ganlab.networks.projection import ProjectedFeatures
from ganlab.networks.residual import (
    r3gan_discriminator,
    r3gan_generator,
    resnet_discriminator,
    resnet_generator,
)
from ganlab.networks.slicing import SlicingNormalization
from ganlab.networks.translation import (
    patch_discriminator,
    resnet_translator,
    unet_generator,
)

__all__ = [
    "Basis",
    "ChosenClass",
    "GroupedConv2D",
    "Langevin",
    "MinibatchStdDev",
    "ProjectedFeatures",
    "SelfAttention",
    "SlicingNormalization",
    "SpectralNormalization",
    "dcgan_discriminator",
    "dcgan_encoder",
    "dcgan_generator",
    "mlp_discriminator",
    "mlp_encoder",
    "mlp_generator",
    "patch_discriminator",
    "projected_discriminator",
    "projected_generator",
    "r3gan_discriminator",
    "r3gan_generator",
    "resnet_discriminator",
    "resnet_generator",
    "resnet_translator",
    "unet_generator",
]
