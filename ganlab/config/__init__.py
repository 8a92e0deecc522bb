"""Settings of a run, presets, and what the data decides."""
