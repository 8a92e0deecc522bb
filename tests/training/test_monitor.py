"""Every run gets the callbacks that its monitoring asks for."""

from ganlab.callbacks import DecisionSurface, RunLog, SampleGrids
from ganlab.data.wait_timer import WaitTimer
from ganlab.training.data import TrainingData, load_recipe_data, load_reference
from ganlab.training.monitor import monitoring_callbacks


def attach(recipe, monitoring, directory, scored):
    recipe, data = load_recipe_data(recipe)
    reference = load_reference(monitoring, data) if scored else None
    run_log = RunLog(directory)
    try:
        return monitoring_callbacks(
            run_log,
            recipe,
            monitoring,
            TrainingData(data, None, reference),
            WaitTimer(),
        )
    finally:
        run_log.close()


def test_images_get_grids_and_scores(recipe, monitoring, tmp_path):
    monitoring = monitoring.replace(features="pixels")
    callbacks = attach(recipe, monitoring, tmp_path, scored=True)
    assert list(callbacks) == [
        "training metrics",
        "health probe",
        "pictures",
        "checkpoints",
        "evaluation",
    ]
    assert isinstance(callbacks["pictures"], SampleGrids)
    assert callbacks["training metrics"].every == 2
    assert callbacks["checkpoints"].every == callbacks["evaluation"].every == 5


def test_toy_mixtures_get_decision_surfaces(recipe, monitoring, tmp_path):
    recipe = recipe.replace(data="ring")
    callbacks = attach(recipe, monitoring, tmp_path, scored=False)
    assert isinstance(callbacks["pictures"], DecisionSurface)
    assert "evaluation" not in callbacks
