"""Every run gets the callbacks that its monitoring asks for."""

import numpy as np
import pytest

from ganlab.callbacks import DecisionSurface, SampleGrids
from ganlab.callbacks.watching import watching_callbacks
from ganlab.config.settings import Monitoring
from ganlab.evaluation.reference import load_reference


def test_images_get_grids_and_scores(run_log, noise):
    monitoring = Monitoring(log_every=2, checkpoint_every=5, evaluate_every=7)
    callbacks = watching_callbacks(
        run_log,
        monitoring,
        noise.spec,
        noise.take(8),
        reference=load_reference(noise, features="pixels"),
    )
    assert list(callbacks) == [
        "training metrics",
        "health probe",
        "pictures",
        "checkpoints",
        "evaluation",
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
