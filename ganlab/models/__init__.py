"""The GAN, how its networks are called, and the averaged generator."""
