"""A run is read as it was saved; what it was trained with decides."""

import json
import zipfile

import pytest

from ganlab.config.settings import Monitoring, Recipe
from ganlab.errors import UserError
from ganlab.runs import Run, RunFolder, load_run


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


@pytest.fixture
def run(folder):
    return Run(
        folder,
        Recipe(steps=7),
        Monitoring(log_every=3),
        num_images=12,
        class_names=("cats", "dogs"),
        skipped=("broken.png",),
        class_counts=(6, 6),
    )


def test_a_run_is_read_as_it_was_saved(run):
    run.save()
    assert load_run(run.folder.path) == run
    assert run.num_classes == 2
    assert run.settings["steps"] == 7
    assert run.settings["log_every"] == 3
    saved = json.loads((run.folder.path / "config.json").read_text())
    assert saved["recipe"]["steps"] == 7
    assert saved["monitoring"]["log_every"] == 3
    assert saved["data_kind"] == "images"


def test_what_a_checkpoint_was_trained_with_decides(run, caplog):
    run.save()
    notes = {"recipe": run.recipe.as_dict()}

    def save(path):
        zipfile.ZipFile(path, "w").close()

    run.folder.save_checkpoint(save, 5, notes)
    assert load_run(run.folder.path) == run
    assert caplog.text == ""
    edited = run.recipe.replace(seed=3, generator_filters=8, steps=9)
    run.with_recipe(edited).save()
    assert load_run(run.folder.path).recipe == run.recipe.replace(steps=9)
    assert "config.json is not what step-0000005.keras was trained with" in caplog.text
    assert "which is taken: seed=0, generator_filters=32" in caplog.text


def test_a_run_under_another_recipe(run, tmp_path):
    other = run.with_recipe(Recipe(loss="hinge"), RunFolder(tmp_path / "other"))
    assert (other.recipe.loss, other.num_images) == ("hinge", 12)
    assert other.folder.path == tmp_path / "other"
    assert run.with_recipe(Recipe()).folder == run.folder


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "Expected a run folder, with config.json"),
        ("{", "Expected JSON in"),
        ("[]", "Expected a run's recipe"),
        ('{"recipe": {}, "monitoring": {}}', "Expected a run's recipe"),
        ('{"recipe": {"colour": 1}, "monitoring": {}}', "Expected a run's recipe"),
    ],
)
def test_no_run_is_one_line(folder, text, message):
    if text is not None:
        folder.path.mkdir()
        folder.config.write_text(text)
    with pytest.raises(UserError, match=message):
        load_run(folder.path)
