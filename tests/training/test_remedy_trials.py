"""Short branches compare remedies, and the best is kept."""

import json

import pytest

import ganlab
from ganlab.cli.main import main
from ganlab.diagnosis import Finding, examine
from ganlab.models.saving import load_gan
from ganlab.runs import RunFolder


@pytest.mark.e2e
def test_trials_compare_remedies_and_keep_the_best(
    recipe, monitoring, tmp_path, monkeypatch, capsys
):
    out = tmp_path / "run"
    ganlab.train(recipe, out, monitoring=monitoring)
    evidence = [{"signal": "x", "says": "so"}]
    serious = [
        Finding(
            "mode_collapse", "critical", 12, evidence, 0.9, {"loss": "relativistic"}
        ),
        Finding(
            "checkerboard", "warning", 14, evidence, 0.9, {"upsampling": "nearest"}
        ),
    ]
    diagnose = examine.diagnose
    monkeypatch.setattr(
        examine,
        "diagnose",
        lambda log: serious if log.source == out else diagnose(log),
    )
    arguments = ["diagnose", str(out), "--remedy-trials", "--trial-steps", "6"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    trials = RunFolder(out).read_trials()
    assert {trial["name"] for trial in trials} == {
        "no change",
        "mode_collapse",
        "checkerboard",
    }
    assert [trial["kept"] for trial in trials] == [True, False, False]
    fids = [trial["fid"] for trial in trials]
    assert fids == sorted(fids)
    assert "kept" in printed
    assert "## Remedies tried" in (out / "report.md").read_text()
    kept = load_gan(RunFolder(trials[0]["folder"]).find_checkpoint())
    assert kept.step == 16
    # The first finding is at 12, the last checkpoint before it at 10.
    for name, first_step in (("no change", 10), ("checkerboard", 0)):
        line = RunFolder(out).trial(name).read_metrics()[0]
        assert json.loads(line)["step"] == first_step


@pytest.mark.e2e
def test_trials_of_a_healthy_run_are_refused(
    recipe, monitoring, tmp_path, capsys, monkeypatch
):
    ganlab.train(recipe.replace(steps=3), tmp_path / "run", monitoring=monitoring)
    monkeypatch.setattr(examine, "diagnose", lambda log: [])
    assert main(["diagnose", str(tmp_path / "run"), "--remedy-trials"]) == 2
    assert "which has none" in capsys.readouterr().err
