"""A run gets the callbacks that its monitoring asks for, and images for scores."""

import dataclasses
import io

import numpy as np
import pytest

from ganlab import evaluation
from ganlab.callbacks import DecisionSurface, SampleGrids
from ganlab.callbacks.watching import load_reference, watching_callbacks
from ganlab.config.settings import Monitoring


def test_images_get_grids_and_scores(run_log, noise):
    monitoring = Monitoring(log_every=2, checkpoint_every=5, evaluate_every=7)
    callbacks = watching_callbacks(
        run_log,
        monitoring,
        noise.spec,
        noise.take(8),
        reference=evaluation.load_reference(noise, features="pixels"),
    )
    assert list(callbacks) == [
        "health probe",
        "training metrics",
        "pictures",
        "evaluation",
        "checkpoints",
    ]
    assert isinstance(callbacks["pictures"], SampleGrids)
    assert callbacks["training metrics"].every == 2
    assert callbacks["checkpoints"].every == 5
    assert callbacks["evaluation"].every == 7


@pytest.mark.parametrize(("spec", "drawn"), [("ring", True), ("given", False)])
def test_points_get_decision_surfaces_where_their_mixture_is_known(
    run_log, spec, drawn
):
    real = np.zeros((8, 2), np.float32), None
    callbacks = watching_callbacks(run_log, Monitoring(), spec, real)
    assert isinstance(callbacks.get("pictures"), DecisionSurface) == drawn
    assert "evaluation" not in callbacks


def test_the_reference_is_as_the_monitoring_says(noise):
    monitoring = Monitoring(features="pixels", evaluate_images=12)
    reference = load_reference(monitoring, noise, (), io.StringIO())
    assert reference.protocol.num_images == 12
    assert reference.protocol.extractor == "pixels"


def test_there_is_no_reference_of_five_images(noise):
    few = dataclasses.replace(noise, images=noise.images[:5], labels=noise.labels[:5])
    assert load_reference(Monitoring(), few, ()) is None
