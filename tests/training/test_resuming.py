"""A longer run's schedules follow its length; nothing else of its GAN changes."""

import numpy as np
import pytest

from ganlab.config.resolve import complete
from ganlab.config.settings import Monitoring
from ganlab.runs import Run, RunFolder
from ganlab.training.build import build_gan
from ganlab.training.resuming import load, schedules_of


@pytest.fixture
def run(recipe, tmp_path):
    recipe = complete(recipe.replace(final_rate_share=0.1, regularizer="r1"), 16, 1)
    return Run(RunFolder(tmp_path / "run"), recipe, Monitoring(), 40, ())


def test_what_changes_over_a_run_is_named(run, recipe):
    assert schedules_of(recipe) == []
    noisy = run.recipe.replace(instance_noise=0.1)
    assert schedules_of(noisy) == ["the learning rates", "the instance noise"]


@pytest.mark.e2e
def test_schedules_follow_the_length(run, caplog):
    gan = build_gan(run.recipe, None)
    images = np.random.default_rng(0).uniform(-1, 1, (8, 16, 16, 1))
    gan.train_on_batch(images.astype(np.float32))
    checkpoint = run.folder.save_checkpoint(gan.save, 1)
    longer = run.with_recipe(run.recipe.replace(steps=40))
    recorded = run.recipe.as_dict()
    for loaded, decay_steps in (
        (load(checkpoint, run, recorded), 20),
        (load(checkpoint, longer, None), 20),
        (load(checkpoint, longer, recorded), 40),
    ):
        optimizer = loaded.generator_optimizer
        assert optimizer.get_config()["learning_rate"]["config"]["decay_steps"] == (
            decay_steps
        )
        assert loaded.step == optimizer.iterations == 1
        for variable, other in zip(loaded.variables, gan.variables, strict=True):
            np.testing.assert_array_equal(variable, other)
        np.testing.assert_array_equal(loaded.sample(2), gan.sample(2))
    message = "The learning rates will change over 40 steps, no longer over 20"
    assert caplog.text.count(message) == 1
