"""The exported generator: exported, verified, loaded and sampled."""
