"""Extractors of features, and the weights that some of them read."""
