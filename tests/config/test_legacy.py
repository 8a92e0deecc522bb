"""Old names of log keys, scores, settings and cards are read as today's."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ganlab.config import legacy
from ganlab.config.resolve import complete
from ganlab.config.settings import Monitoring, Recipe
from ganlab.diagnosis import report
from ganlab.evaluation import compare
from ganlab.runs import load_run

SCORE = {"value": 1.0, "low": 0.5, "high": 1.5, "standard_error": 0.1}
OLD_SETTINGS = {"precision": "mixed_float16", "signal_every": 7, "signal_share": 0.5}


@pytest.fixture
def old_run(tmp_path):
    """A run folder of a collapsed run, all of it under the names of older versions."""
    settings = complete(Recipe(), 28, 1).as_dict() | Monitoring().as_dict()
    for old, new in legacy.SETTING_NAMES.items():
        del settings[new]
        settings[old] = OLD_SETTINGS[old]
    about = {"config": settings, "num_images": 9, "class_names": [], "skipped": []}
    (tmp_path / "config.json").write_text(json.dumps(about))
    rows = [
        {"step": 100 * k, "d_loss": 1.0, "g_loss": 1.0, "frechet_distance": distance}
        | {"frechet_error": 0.1, "label_fidelity": 0.1, "d_slope_product": 0.01}
        for k, distance in enumerate([10, 8, 6, 5, 5, 9, 9, 9])
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "metrics.jsonl").write_text(text)
    (tmp_path / "checkpoints").mkdir()
    best = {"step": 300, "scores": {"frechet_distance": {**SCORE, "value": 5.0}}}
    (tmp_path / "checkpoints" / "best.json").write_text(json.dumps(best))
    (tmp_path / "trials").mkdir()
    trial = {"name": "a", "changes": {"precision": "float32"}, "kept": True}
    trial |= {"frechet_distance": 4.0, "findings": []}
    (tmp_path / "trials" / "trials.json").write_text(json.dumps([trial]))
    return tmp_path


def test_an_old_run_is_diagnosed(old_run):
    examined = report.examine(old_run)
    assert [finding.name for finding in examined.findings] == [
        "activation_saturation",
        "ignored_labels",
        "late_collapse",
    ]
    assert examined.best["fid"] == 5.0
    assert examined.log.settings["dtype_policy"] == "mixed_float16"
    np.testing.assert_allclose(examined.log.series["fid_error"].values, 0.1)
    assert examined.trials[0]["score"] == 4.0
    assert examined.trials[0]["verdict"] is None
    assert examined.trials[0]["changes"] == {"dtype_policy": "float32"}
    assert "frechet_distance" not in json.dumps(examined.as_dict())


def test_an_old_run_is_loaded(old_run):
    run = load_run(old_run)
    assert run.recipe.dtype_policy == "mixed_float16"
    assert (run.monitoring.probe_every, run.monitoring.probe_share) == (7, 0.5)
    run.save()
    saved = json.loads((old_run / "config.json").read_text())
    assert saved.keys() >= {"recipe", "monitoring"}
    assert "config" not in saved
    assert load_run(old_run) == run


@pytest.mark.parametrize("about", [{}, {"recipe": {}}, {"config": 3}, []])
def test_what_holds_no_settings_is_refused(about):
    with pytest.raises((KeyError, TypeError, ValueError)):
        legacy.read_settings(about)


def test_old_scores_are_read(tmp_path):
    shipped = Path(__file__).parents[2] / "saved_models" / "fashion"
    card = json.loads((shipped / "card.json").read_text())
    subject = {"protocol": card["metrics"]["protocol"]}
    subject["scores"] = dict.fromkeys(legacy.SCORE_NAMES, SCORE)
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"subjects": {"a": subject}}))
    _, scores = compare.read_scores(path)["a"]
    assert list(scores) == list(legacy.SCORE_NAMES.values())


def test_an_old_card_is_written_under_new_names(tmp_path):
    shipped = Path(__file__).parents[2] / "saved_models" / "fashion"
    shutil.copy(shipped / "card.json", tmp_path)
    card = json.loads((tmp_path / "card.json").read_text())
    old = json.loads(json.dumps(card))
    parity = old["parity"]
    parity["batch_norm_gap"] = parity.pop("training_inference_difference")
    old["precisions"] = old.pop("formats")
    for about in old["precisions"].values():
        about["frechet_distance"] = about.pop("fid")
    config = old["training"]["config"] = old["training"].pop("recipe")
    config["precision"] = config.pop("dtype_policy")
    config["log_every"] = 50
    current = legacy.current_card(old)
    assert "fid" in current["formats"]["int8"]
    assert current == card


def test_names_are_unknown_to_no_reader():
    assert set(legacy.SETTING_NAMES.values()) <= {
        *Recipe.__dataclass_fields__,
        *Monitoring.__dataclass_fields__,
    }
    assert set(legacy.SCORE_NAMES.items()) <= set(legacy.LOG_KEYS.items())
