"""Fixtures: a short recipe with monitoring, and runs that fail when told to."""

import functools
import json

import numpy as np
import pytest

from ganlab import diagnosis
from ganlab.callbacks import FailurePolicy
from ganlab.config.settings import Monitoring, Recipe
from ganlab.diagnosis.log import ENDINGS
from ganlab.training import train


@pytest.fixture(scope="session")
def recipe(tmp_path_factory):
    """Twenty steps on forty images of noise."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 1), np.uint8)
    path = tmp_path_factory.mktemp("data") / "noise.npz"
    np.savez(path, images=pixels)
    return Recipe(
        data=f"npz:{path}",
        generator_filters=4,
        discriminator_filters=4,
        discriminator_normalization="none",
        batch_size=8,
        steps=20,
    )


@pytest.fixture(scope="session")
def monitoring():
    """Everything watches a run of twenty steps a few times."""
    return Monitoring(
        log_every=2,
        sample_every=20,
        checkpoint_every=5,
        evaluate_every=5,
        evaluate_share=1.0,
        probe_every=5,
        probe_share=1.0,
    )


@pytest.fixture
def failing(monkeypatch):
    """A function that makes the next diagnoses of a running run find a failure."""

    def fail(times, severity="critical", every=8):
        name = "mode_collapse"
        finding = diagnosis.Finding(
            name,
            severity,
            3,
            [{"signal": "x", "says": "so"}],
            0.9,
            dict(diagnosis.FAILURES[name].changes),
        )
        remaining = [finding] * times
        monkeypatch.setattr(
            diagnosis, "diagnose", lambda log: [remaining.pop()] if remaining else []
        )
        early = functools.partial(FailurePolicy, grace=0, every=every)
        monkeypatch.setattr(train, "FailurePolicy", early)

    return fail


@pytest.fixture
def events():
    """A function that returns a run folder's events between beginning and ending."""

    def read(directory):
        lines = (directory / "metrics.jsonl").read_text().splitlines()
        rows = map(json.loads, lines)
        left_out = ("began", *ENDINGS)
        return [row for row in rows if row.get("event", "began") not in left_out]

    return read
