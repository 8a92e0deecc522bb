"""A failing run goes back to its best checkpoint, under changed settings."""

import dataclasses
import json

import keras
import numpy as np
import pytest

from ganlab.config.resolve import complete
from ganlab.config.settings import Monitoring, Recipe
from ganlab.diagnosis import Finding
from ganlab.models.saving import load_gan
from ganlab.runs import Run, RunFolder
from ganlab.training.build import build_gan
from ganlab.training.rollback import branch, changed, roll_back


@pytest.fixture
def trained(recipe, images, tmp_path):
    """A run whose best checkpoint is at step 2, the newest at step 4."""
    recipe = complete(recipe, 16, 1)
    folder = RunFolder(tmp_path / "run")
    run = Run(folder, recipe, Monitoring(), num_images=16, class_names=())
    run.save()
    gan = build_gan(recipe, None)
    for _ in range(2):
        gan.fit(images[0], batch_size=8, verbose=0)
        step = int(gan.step.numpy())
        folder.save_checkpoint(gan.save, step)
        folder.append_metrics({"step": step, "seconds": 1.0, "d_loss": 0.5})
        if step == 2:
            folder.save_best(gan.save, {"step": 2, "scores": {}})
    return run


@pytest.mark.e2e
def test_a_branch_goes_on_from_weights_and_moments(trained):
    path = trained.folder.find_checkpoint()
    source = load_gan(path)
    recipe = trained.recipe.replace(loss="hinge", generator_learning_rate=1e-5)
    gan = branch(path, recipe, None)
    for role in ("generator", "discriminator", "ema_generator"):
        for weight, expected in zip(
            getattr(gan, role).get_weights(),
            getattr(source, role).get_weights(),
            strict=True,
        ):
            np.testing.assert_array_equal(weight, expected)
    assert gan.step == 4
    assert type(gan.objective.loss).__name__ == "Hinge"
    optimizer, source_optimizer = gan.generator_optimizer, source.generator_optimizer
    assert float(optimizer.learning_rate) == pytest.approx(1e-5)
    assert int(optimizer.iterations) == int(source_optimizer.iterations) == 4
    moments = [
        (variable.numpy(), expected.numpy())
        for variable, expected in zip(
            optimizer.variables, source_optimizer.variables, strict=True
        )
        if "learning_rate" not in variable.path
    ]
    assert len(moments) > 4
    for moment, expected in moments:
        np.testing.assert_array_equal(moment, expected)


@pytest.mark.e2e
def test_a_branch_keeps_the_dtype_policy_of_its_recipe(trained):
    half = trained.recipe.replace(dtype_policy="mixed_bfloat16")
    gan = branch(trained.folder.find_checkpoint(), half, None)
    assert gan.generator.get_layer("project").compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.e2e
def test_a_rollback_makes_the_best_checkpoint_the_newest(trained):
    finding = Finding("mode_collapse", "critical", 3, [], 0.9, {})
    failed = dataclasses.replace(trained, failure=finding)
    run = roll_back(failed, {"loss": "hinge"}, attempt=1)
    assert run.failure is None
    assert run.recipe.loss == "hinge"
    folder = trained.folder
    assert list(folder.checkpoints_by_step()) == [2]
    assert type(load_gan(folder.find_checkpoint()).objective.loss).__name__ == "Hinge"
    row, event = map(json.loads, folder.read_metrics())
    assert row["step"] == 2
    assert (event["event"], event["step"]) == ("rollback", 2)
    assert (event["finding"], event["change"]) == ("mode_collapse", {"loss": "hinge"})
    (abandoned,) = folder.attempt(1).read_text().splitlines()
    assert json.loads(abandoned)["step"] == 4


def test_a_changed_recipe_is_complete_again():
    ring = complete(Recipe(data="ring"), None, None)
    assert ring.regularizer_weight is None
    recipe = changed(ring, {"regularizer": "r1+r2"})
    assert recipe.regularizer_weight == pytest.approx(0.02)  # of a ring of radius 1
    assert recipe.generator_learning_rate == ring.generator_learning_rate
