"""Branches compare remedies by their scores, and the best branch is kept."""

import io
import json

import pytest

import ganlab
from ganlab.cli.main import main
from ganlab.config.resolve import complete
from ganlab.diagnosis import Finding, examine
from ganlab.diagnosis.remedy_scores import Outcome
from ganlab.errors import UserError
from ganlab.models.saving import load_gan
from ganlab.runs import Run, RunFolder, load_run
from ganlab.training import remedy_trials

COLLAPSE = frozenset({"mode_collapse"})
CHANGES = {
    "mode_collapse": {"loss": "relativistic"},
    "checkerboard": {"upsampling": "nearest"},
}


def find_in(run_folder, monkeypatch, changes):
    """Makes the diagnosis of one run find what has these changes, since step 12."""
    evidence = [{"signal": "x", "says": "so"}]
    serious = [
        Finding(name, "critical", 12, evidence, 0.9, settings)
        for name, settings in changes.items()
    ]
    diagnose = examine.diagnose
    monkeypatch.setattr(
        examine,
        "diagnose",
        lambda log: serious if log.source == run_folder else diagnose(log),
    )


@pytest.fixture
def failed_run(recipe, monitoring, tmp_path, monkeypatch):
    """The folder of a run of two findings, and of no checkpoint."""
    folder = RunFolder(tmp_path / "run")
    Run(folder, complete(recipe, 16, 1), monitoring, 40, ()).save()
    folder.append_metrics({"step": 20, "seconds": 1.0, "d_loss": 1.0, "g_loss": 1.0})
    find_in(folder.path, monkeypatch, CHANGES)
    return folder


@pytest.fixture
def trained(monkeypatch):
    """A function that replaces training by outcomes; returns what was trained."""

    def replace(outcome_of):
        calls = []

        def train_branch(origin, changes, seed, folder, steps, stream):
            calls.append((folder.path.parent.name, seed, steps))
            folder.save_checkpoint(lambda path: path.write_text("weights"), steps)
            return outcome_of(*calls[-1])

        monkeypatch.setattr(remedy_trials, "train_branch", train_branch)
        return calls

    return replace


def checkpoints(folder):
    """The branches that have a checkpoint left."""
    return {
        f"{path.parents[2].name}/{path.parents[1].name}"
        for path in folder.trials.rglob("*.keras")
    }


def test_only_undecided_remedies_go_on_and_no_change_with_them(failed_run, trained):
    scores = {"no-change": 1.0, "mode_collapse": 0.1, "checkerboard": 9.0}

    def outcome_of(name, seed, steps):
        score = scores[name] + seed / 1000
        if name == "checkerboard" and steps == 1000:
            score = 1.0 + seed
        findings = frozenset() if name == "mode_collapse" else COLLAPSE
        return Outcome(score, findings, 1, score_name="fid")

    calls = trained(outcome_of)
    stream = io.StringIO()
    trials = remedy_trials.try_remedies(failed_run.path, stream=stream)
    assert calls == [
        ("no-change", 0, 1000),
        ("no-change", 1, 1000),
        ("mode_collapse", 0, 1000),
        ("mode_collapse", 1, 1000),
        ("checkerboard", 0, 1000),
        ("checkerboard", 1, 1000),
        ("no-change", 0, 2000),
        ("no-change", 1, 2000),
        ("no-change", 2, 2000),
        ("checkerboard", 0, 2000),
        ("checkerboard", 1, 2000),
        ("checkerboard", 2, 2000),
    ]
    ranked = [
        (trial["name"], trial["verdict"], trial["steps"], len(trial["branches"]))
        for trial in trials
    ]
    assert ranked == [
        ("mode_collapse", "cures", 1000, 2),
        ("no change", None, 2000, 3),
        ("checkerboard", "worse", 2000, 3),
    ]
    lines = stream.getvalue().splitlines()
    assert "trial: mode_collapse, seed 1: to 1,000 steps" in lines
    (first,) = [line for line in lines if "checkerboard after 1,000" in line]
    assert first.startswith("trial: checkerboard after 1,000 steps: no difference told")
    assert checkpoints(failed_run) == {"mode_collapse/seed-0"}
    assert failed_run.read_trials() == trials


def test_what_is_never_decided_ends_at_four_times_the_length(failed_run, trained):
    calls = trained(lambda name, seed, steps: Outcome(1.0 + seed))
    trials = remedy_trials.try_remedies(failed_run.path, steps=10, seeds=3)
    assert [steps for name, seed, steps in calls if name == "no-change"] == [
        *[10] * 3,
        *[20] * 4,
        *[40] * 5,
    ]
    verdicts = {trial["verdict"] for trial in trials}
    assert verdicts == {None, "no difference told"}
    assert sum(trial["kept"] for trial in trials) == 1


def test_a_branch_that_diverged_does_not_go_on(failed_run, trained):
    def outcome_of(name, seed, steps):
        return Outcome(None, diverged=name == "checkerboard" and seed == 0)

    calls = trained(outcome_of)
    trials = remedy_trials.try_remedies(failed_run.path, steps=10)
    assert ("checkerboard", 0, 10) in calls
    assert ("checkerboard", 0, 20) not in calls
    assert ("checkerboard", 1, 20) in calls
    json.dumps(trials, allow_nan=False)


def test_equal_remedies_are_tried_once(failed_run, trained, monkeypatch):
    changes = {"mode_collapse": {"beta_1": 0.0}, "oscillation": {"beta_1": 0.0}}
    find_in(failed_run.path, monkeypatch, changes)
    calls = trained(lambda name, seed, steps: Outcome(None))
    remedy_trials.try_remedies(failed_run.path)
    assert {name for name, _, _ in calls} == {"no-change", "mode_collapse"}


def test_seeds_follow_the_runs_own(failed_run, trained):
    run = load_run(failed_run.path)
    run.with_recipe(run.recipe.replace(seed=7)).save()
    calls = trained(lambda name, seed, steps: Outcome(None))
    remedy_trials.try_remedies(failed_run.path, seeds=3)
    first_look = {seed for _, seed, steps in calls if steps == 1000}
    assert first_look == {7, 8, 9}
    assert {seed for _, seed, _ in calls} == {7, 8, 9, 10, 11}


def test_one_seed_is_refused(failed_run):
    with pytest.raises(UserError, match="Expected 2 seeds or more. Received: 1"):
        remedy_trials.try_remedies(failed_run.path, seeds=1)


@pytest.mark.slow
def test_trials_train_and_keep_the_best(
    recipe, monitoring, tmp_path, monkeypatch, capsys
):
    out = tmp_path / "run"
    ganlab.train(recipe, out, monitoring=monitoring)
    find_in(out, monkeypatch, {"checkerboard": CHANGES["checkerboard"]})
    monkeypatch.setattr(remedy_trials, "LENGTHS", (1,))
    arguments = ["diagnose", str(out), "--remedy-trials", "--trial-steps", "6"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    folder = RunFolder(out)
    trials = folder.read_trials()
    assert {trial["name"] for trial in trials} == {"no change", "checkerboard"}
    assert [trial["kept"] for trial in trials] == [True, False]
    assert all(trial["score_name"] == "fid" for trial in trials)
    assert all(len(trial["branches"]) == 2 for trial in trials)
    assert "; kept" in printed
    assert "## Remedies tried" in (out / "report.md").read_text()
    assert "<h2>Remedies tried</h2>" in (out / "report.html").read_text()
    best = RunFolder(trials[0]["folder"])
    assert load_gan(best.find_checkpoint()).step == 16
    assert len(checkpoints(folder)) == 1
    # The first finding is at 12, the last checkpoint before it at 10.
    for name, first_step in (("no change", 10), ("checkerboard", 0)):
        line = folder.trial(name, 1).read_metrics()[0]
        assert json.loads(line)["step"] == first_step


@pytest.mark.e2e
def test_trials_of_a_healthy_run_are_refused(
    recipe, monitoring, tmp_path, capsys, monkeypatch
):
    ganlab.train(recipe.replace(steps=3), tmp_path / "run", monitoring=monitoring)
    monkeypatch.setattr(examine, "diagnose", lambda log: [])
    assert main(["diagnose", str(tmp_path / "run"), "--remedy-trials"]) == 2
    assert "which has none" in capsys.readouterr().err
