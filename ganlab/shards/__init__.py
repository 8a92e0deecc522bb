"""Samples by the million: shards that come out equal, however many processes write."""
