"""Branches leave a run with its weights, other latents, and its held-out images."""

import json

import numpy as np
import pytest

import ganlab
from ganlab.models.saving import load_gan
from ganlab.runs import RunFolder, load_run
from ganlab.training import branches
from ganlab.training.branches import Origin, train_branch


@pytest.fixture(scope="module")
def origin(recipe, monitoring, tmp_path_factory):
    """A run of ten steps with its last checkpoint, which branches leave as it is."""
    folder = tmp_path_factory.mktemp("origin") / "run"
    recipe = recipe.replace(steps=10, instance_noise=0.5)
    ganlab.train(recipe, folder, monitoring=monitoring)
    run = load_run(folder)
    return Origin(run, 10, run.folder.find_checkpoint())


def weights(folder):
    gan = load_gan(folder.find_checkpoint())
    return np.concatenate([np.ravel(weight) for weight in gan.generator.get_weights()])


@pytest.mark.e2e
def test_a_branch_goes_on_and_its_seed_draws_other_latents(origin, tmp_path):
    folders = [RunFolder(tmp_path / f"branch-{seed}") for seed in (0, 1)]
    for seed, folder in enumerate(folders):
        outcome = train_branch(origin, {}, seed, folder, 2)
        assert outcome.score > 0
        assert outcome.score_name == "fid"
    assert not np.array_equal(*map(weights, folders))
    assert load_run(folders[1].path).recipe.seed == 0  # the order and held-out images
    assert load_gan(folders[1].find_checkpoint()).seed == 1

    train_branch(origin, {}, 1, folders[1], 4)
    rows = [json.loads(line) for line in folders[1].read_metrics()]
    began = [row["step"] for row in rows if row.get("event") == "began"]
    assert began == [10]  # a branch that goes on is the same run
    assert {row["step"] for row in rows if "fid" in row} >= {12, 14}
    assert load_gan(folders[1].find_checkpoint()).step == 14


@pytest.mark.e2e
def test_a_change_of_networks_begins_anew(origin, tmp_path):
    folder = RunFolder(tmp_path / "branch")
    train_branch(origin, {"upsampling": "nearest"}, 3, folder, 2)
    assert json.loads(folder.read_metrics()[0])["step"] == 0
    recipe = load_run(folder.path).recipe
    assert (recipe.seed, recipe.upsampling, recipe.steps) == (3, "nearest", 12)
    assert load_gan(folder.find_checkpoint()).step == 12


@pytest.mark.e2e
def test_a_branch_that_diverges_has_no_score(origin, tmp_path):
    folder = RunFolder(tmp_path / "branch")
    changes = {"generator_learning_rate": 1e30, "discriminator_learning_rate": 1e30}
    outcome = train_branch(origin, changes, 0, folder, 8)
    assert outcome.diverged
    assert outcome.score is None


@pytest.mark.e2e
def test_lengths_beyond_the_run_keep_its_schedules(origin, tmp_path, monkeypatch):
    lengths = []
    build = branches.branch

    def note(checkpoint, recipe, num_classes):
        lengths.append(recipe.steps)
        return build(checkpoint, recipe, num_classes)

    monkeypatch.setattr(branches, "branch", note)
    monkeypatch.setattr(branches, "train", lambda *arguments, **options: None)
    train_branch(origin, {}, 0, RunFolder(tmp_path / "branch"), 50)
    assert lengths == [10]
