"""The two players and the layers they are made of."""

from ganlab.networks.discriminators import dcgan_discriminator
from ganlab.networks.generators import dcgan_generator

__all__ = ["dcgan_discriminator", "dcgan_generator"]
