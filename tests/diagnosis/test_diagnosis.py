"""Does the diagnosis name what is in a log, and nothing else?"""

import itertools
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlab import diagnosis
from ganlab.cli.main import main
from ganlab.config.command import train_command
from ganlab.config.resolve import complete
from ganlab.config.settings import Monitoring, Recipe, keep_networks
from ganlab.diagnosis import FAILURES, Log, Series, html, report
from ganlab.diagnosis.evidence import sustained
from ganlab.errors import UserError

STEPS = np.arange(50, 2001, 50)

HEALTHY = {
    "d_loss": 0.9,
    "g_loss": 1.2,
    "d_real": 0.7,
    "d_fake": 0.3,
    "d_accuracy_real": 0.8,
    "d_accuracy_fake": 0.8,
    "d_gradient_norm": 10.0,
    "g_gradient_norm": 5.0,
    "g_logit_gradient": 0.6,
    "gradient_thrown_away": 0.5,
    "pairwise_ratio": 0.98,
    "nearest_ratio": 1.0,
    "overfit_gap": 0.05,
    "real_sign": 0.3,
    "g_dead_share": 0.0,
    "output_saturated_gap": 0.0,
    "checkerboard_share": 0.02,
    "batch_norm_gap": 0.03,
    "fake_low": -1.0,
    "real_low": -1.0,
    "real_high": 1.0,
    "copied_share": 0.01,
    "precision": 0.7,
    "recall": 0.5,
    "coverage": 0.7,
    "label_accuracy": 0.9,
    "data_wait_share": 0.01,
}


def made(changes=(), recipe=None, events=(), distances=None, facts=None):
    """A log of a healthy run with some series changed."""
    values = HEALTHY | dict(changes)
    series = {}
    for name, value in values.items():
        if value is not None:
            value = np.broadcast_to(np.asarray(value, float), STEPS.shape)
            series[name] = Series(STEPS, value.copy())
    if distances is None:
        distances = 10.0 * 0.5 ** (np.arange(10) / 10) + np.zeros(10)
        distances[-5:] = 5.2
    steps = np.linspace(200, 2000, len(distances)).astype(int)
    series["fid"] = Series(steps, np.asarray(distances, float))
    settings = complete(Recipe(**(recipe or {})), 28, 1).as_dict()
    settings |= Monitoring().as_dict()
    return Log("run", series, None, list(events), settings, facts or {})


def names(log):
    return [each.name for each in diagnosis.diagnose(log) if each.severity != "note"]


def test_a_healthy_log_has_no_finding():
    assert names(made()) == []


ALIKE = {"pairwise_ratio": 0.05}
CASES = [
    ("discriminator_domination", sure := {
        "d_accuracy_real": 1.0, "d_accuracy_fake": 0.99, "d_fake": 0.001}, {}),
    ("generator_domination", {"d_real": 0.5, "d_fake": 0.5, **ALIKE}, {}),
    ("vanishing_generator_gradient", {"g_logit_gradient": 0.01}, {"loss": "minimax"}),
    ("vanishing_generator_gradient", {"g_gradient_norm": 1e-9}, {}),
    ("exploding_gradient", {"g_gradient_norm": np.geomspace(1, 1e6, 40)}, {}),
    ("dying_relu", {"g_dead_share": 0.8}, {}),
    ("activation_saturation", {"d_activation_gradient": 0.02}, {}),
    ("output_saturation", {"output_saturated_gap": 0.5}, {}),
    ("mode_collapse", ALIKE, {}),
    ("mode_collapse", {"nearest_ratio": 0.01}, {}),
    ("mode_collapse", {"duplicate_share": 0.9}, {}),
    ("mode_collapse", {"modes_hit": 2.0}, {"data": "ring"}),
    ("mode_dropping", {"modes_hit": 6.0}, {"data": "ring"}),
    ("mode_dropping", {"recall": 0.01}, {}),
    ("ignored_labels", {"label_accuracy": 0.1}, {}),
    ("discriminator_overfitting", {"overfit_gap": 0.95}, {}),
    ("memorisation", {"copied_share": 0.5}, {}),
    ("checkerboard", {"checkerboard_share": 0.4}, {}),
    ("oscillation", {"d_fake": np.tile([0.1, 0.9], 20)}, {}),
    ("float16_overflow", {"d_skipped_share": 0.5}, {"dtype_policy": "mixed_float16"}),
    ("float16_underflow", {"g_zero_gradient_share": 0.9},
     {"dtype_policy": "mixed_float16", "loss_scaling": False}),
    ("batch_norm_gap", {"batch_norm_gap": 0.5}, {}),
    ("data_range_mismatch", {"fake_low": 0.0}, {"output_activation": "sigmoid"}),
    ("starved_input", {"data_wait_share": 0.6}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "recipe"), CASES)
def test_each_failure_is_named(name, changes, recipe):
    found = {each.name: each for each in diagnosis.diagnose(made(changes, recipe))}
    assert name in found
    finding = found[name]
    assert finding.severity in diagnosis.SEVERITIES
    assert 0 < finding.confidence < 1
    assert finding.evidence
    assert all(each["says"] for each in finding.evidence)
    assert set(finding.changes) <= set(Recipe.__dataclass_fields__)
    json.dumps(finding.as_dict(), allow_nan=False)


def test_every_failure_has_a_rule_that_can_fire():
    covered = {name for name, _, _ in CASES}
    elsewhere = {"non_finite", "late_collapse", "undertrained", "class_imbalance"}
    assert covered | elsewhere == set(FAILURES)


def test_cheap_signals_warn_and_scores_make_it_critical():
    (warned,) = diagnosis.diagnose(made(sure))
    assert warned.severity == "warning"
    found = diagnosis.diagnose(made(sure | ALIKE))
    first = found[0]
    assert (first.name, first.severity) == ("discriminator_domination", "critical")
    assert first.confidence > warned.confidence
    assert [each.name for each in found] == [
        "discriminator_domination",
        "mode_collapse",
    ]


def test_rules_know_the_loss():
    assert names(made(sure, {"loss": "wasserstein"})) == []
    assert names(made({"g_logit_gradient": 0.01}, {"loss": "non_saturating"})) == []


def test_what_is_over_is_no_finding():
    gone = np.where(STEPS < 1000, 0.001, 0.3)
    early = {"d_accuracy_real": 1.0, "d_accuracy_fake": 1.0, "d_fake": gone}
    assert names(made(early)) == []


def test_since_is_where_it_began():
    began = np.where(STEPS < 1200, 0.98, 0.05)
    (finding,) = diagnosis.diagnose(made({"pairwise_ratio": began}))
    assert finding.since_step == 1200


def test_fakes_that_move_apart_are_not_collapsed():
    assert names(made({"pairwise_ratio": np.linspace(0.02, 0.48, 40)})) == []


def test_sustained_by_hand():
    series = Series(np.arange(8), np.array([1, 0, 1, 1, 1, 1, 1, 0.0]))
    # The last quarter is the steps 6 and 7; three points at least are looked at.
    assert sustained(series, lambda values: values > 0.5) is None
    series = Series(np.arange(8), np.array([1, 0, 0, 0, 1, 1, 1, 1.0]))
    assert sustained(series, lambda values: values > 0.5) == (4, 1.0)
    assert (
        sustained(Series(np.arange(2), np.ones(2)), lambda values: values > 0) is None
    )
    assert sustained(None, lambda values: values > 0) is None


@pytest.mark.parametrize(
    ("distances", "since"),
    [
        ([10, 8, 6, 5, 5, 9, 9, 9], 1485),
        ([10, 8, 6, 5, 5, 9, 9, 6], None),  # it came back
        ([10, 8, 6, 5, 5, 5, 9, 9], None),  # two in a row
        ([10, 8, 6, 5, 5, 7.4, 7.4, 7.4], None),  # under 1.5 times
        ([10, 9, 8, 7, 6, 5, 4, 3], None),
    ],
)
def test_late_collapse_by_hand(distances, since):
    found = {each.name: each for each in diagnosis.diagnose(made(distances=distances))}
    assert ("late_collapse" in found) == (since is not None)
    if since:
        assert found["late_collapse"].severity == "critical"
        assert found["late_collapse"].since_step == since


def test_a_distance_within_chance_of_0_has_not_collapsed():
    log = made(distances=[0.01, 0.002, 0.005, 0.006, 0.005])
    assert "late_collapse" in names(log)
    steps = log.series["fid"].steps
    log.series["fid_error"] = Series(steps, np.full(5, 1e-3))
    assert "late_collapse" not in names(log)


@pytest.mark.parametrize(
    ("counts", "drawn", "severity"),
    [
        ([100, 90, 80], 0.1, None),
        ([1000, 90, 80], 0.9, "note"),
        ([1000, 90, 80], 0.1, "warning"),
    ],
)
def test_unbalanced_classes(counts, drawn, severity):
    log = made({"least_class_share": drawn}, facts={"class_counts": counts})
    found = {each.name: each.severity for each in diagnosis.diagnose(log)}
    assert found.get("class_imbalance") == severity


def test_undertrained_is_a_note_and_doubles_the_steps():
    log = made(distances=[10, 9, 8, 7, 6, 5, 4, 3])
    (finding,) = diagnosis.diagnose(log)
    assert (finding.name, finding.severity) == ("undertrained", "note")
    assert finding.changes == {"steps": 12_000}
    command = train_command(log.settings, finding.changes, log.source)
    assert command == "ganlab train --out run --resume --steps 12000"


def test_a_diverged_run_names_its_tensor():
    event = {"step": 700, "event": "non_finite", "loss": "d_loss", "tensor": "d/w"}
    found = diagnosis.diagnose(made(events=[event]))[0]
    assert (found.name, found.severity, found.since_step) == (
        "non_finite",
        "critical",
        700,
    )
    assert "first in d/w" in found.evidence[0]["says"]


def test_a_remedy_that_is_there_already_is_not_given():
    log = made(sure, {"regularizer": "r1", "discriminator_learning_rate": 4e-4})
    (found,) = diagnosis.diagnose(log)
    assert found.changes == {"discriminator_learning_rate": 1e-4}


def test_next_changes_never_repeat():
    (finding,) = diagnosis.diagnose(made(ALIKE))
    recipe = made().settings
    tried = []
    while (change := diagnosis.next_change(finding, recipe, tried)) is not None:
        assert change not in tried
        assert keep_networks(change)
        tried.append(change)
        assert len(tried) < 10
    assert {"loss": "relativistic"} in tried  # without R1: D has batch normalisation
    assert tried[-1]["generator_learning_rate"] == 2.5e-4


def csv_file(tmp_path, text):
    path = tmp_path / "log.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def table(fid, d_loss=0.9, every=10):
    lines = ["step,seconds,d_loss,g_loss,fid"]
    for index in range(len(fid) * every):
        value = fid[index // every] if index % every == every - 1 else ""
        lines.append(f"{(index + 1) * 100},{index * 60},{d_loss},1.5,{value}")
    return "\n".join(lines) + "\n"


def test_a_foreign_log_is_read_and_judged(tmp_path):
    fid = [90, 60, 40, 30, 28, 60, 70, 80, 90, 95]
    path = csv_file(tmp_path, table(fid, d_loss=0.05))
    found = report.examine(path)
    assert {each.name for each in found.findings} == {
        "late_collapse",
        "discriminator_domination",
    }
    assert found.best == {"step": 5000, "fid": 28.0, "path": None}
    assert found.verdict.startswith("Failing: the discriminator dominates")
    assert found.command is None
    healthy = csv_file(tmp_path, table([90, 60, 40, 30, 28, 27, 27, 27, 27, 27]))
    assert report.examine(healthy).verdict.startswith("Healthy")


def test_a_critic_whose_loss_passes_0_does_not_dominate(tmp_path):
    draws = np.random.default_rng(0).normal(0, 0.5, 400)
    lines = [f"{i},{value},1.0" for i, value in enumerate(draws)]
    path = csv_file(tmp_path, "step,d_loss,g_loss\n" + "\n".join(lines))
    assert diagnosis.diagnose(diagnosis.read(path)) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no losses"),
        ("step,d_loss,g_loss\n", "no losses"),
        ("step,d_loss,g_loss\n1,nan,nan\n2,nan,nan\n", "no number that is finite"),
        ("step,d_loss,g_loss\n1,0.5,0.5\n2,0.", None),
        ("step,d_loss,g_loss\n1,0.5,0.5\nx,0.5,0.5\n", "1 rows without a whole step"),
        (b"step,d_loss,g_loss\n1,0.5,\xff\xfe\x00\n", "g_loss holds no number"),
    ],
)
def test_a_broken_log_gives_a_report_that_says_so(tmp_path, text, problem):
    path = csv_file(tmp_path, text)
    assert main(["diagnose", str(path), "--out", str(tmp_path / "out")]) == 0
    found = report.examine(path)
    if problem:
        assert problem in " ".join(found.log.problems)
        assert problem in (tmp_path / "out" / "report.md").read_text()


def test_nan_losses_are_found(tmp_path):
    path = csv_file(tmp_path, "step,d_loss,g_loss\n1,0.5,0.5\n2,nan,0.5\n3,inf,0.5\n")
    (found,) = diagnosis.diagnose(diagnosis.read(path))
    assert (found.name, found.severity, found.since_step) == (
        "non_finite",
        "critical",
        2,
    )


@given(st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_wild_files_never_crash(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("wild")
    (folder / "config.json").write_bytes(content)
    (folder / "metrics.jsonl").write_bytes(content)
    found = report.examine(folder)
    assert found.verdict
    html.draw(found)
    path = csv_file(folder, b"step,d_loss,g_loss\n" + content)
    report.as_markdown(report.examine(path))


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["step", "event", "d_loss", "fid", "seconds"]),
            st.one_of(
                st.none(),
                st.integers(),
                st.floats(),
                st.text(max_size=3),
                st.booleans(),
            ),
        ),
        max_size=12,
    )
)
@settings(max_examples=60, deadline=None)
def test_wild_rows_never_crash(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("rows")
    about = {"recipe": Recipe().as_dict(), "monitoring": Monitoring().as_dict()}
    (folder / "config.json").write_text(json.dumps(about))
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "metrics.jsonl").write_text(text)
    found = report.examine(folder)
    json.dumps(found.as_dict())
    assert report.as_markdown(found)


def test_what_is_no_log_is_one_line(tmp_path, capsys):
    for path in (tmp_path / "none", tmp_path, csv_file(tmp_path, "a,b\n1,2\n")):
        assert main(["diagnose", str(path)]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "Expected" in error
    with pytest.raises(UserError, match="rename or add d_loss, g_loss"):
        diagnosis.read(csv_file(tmp_path, "step,loss\n1,2\n"))


@pytest.fixture
def run_folder(tmp_path):
    """A run folder of a collapsed run, as a trainer would have left it."""
    folder = tmp_path / "run"
    folder.mkdir()
    log = made(sure | ALIKE, {"batch_size": 32, "flip": True})
    about = {
        "recipe": log.settings,
        "monitoring": {},
        "num_images": 9744,
        "class_names": [],
    }
    about["skipped"] = []
    (folder / "config.json").write_text(json.dumps(about))
    rows = []
    for name, series in log.series.items():
        for step, value in zip(series.steps, series.values, strict=True):
            rows.append({"step": int(step), "seconds": 1.0, name: float(value)})
    rows.append({"step": 900, "seconds": 1.0, "event": "finding", "finding": "x"})
    rows.sort(key=lambda row: row["step"])
    (folder / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return folder


def test_the_page_holds_all_and_needs_no_network(run_folder, capsys):
    from PIL import Image

    (run_folder / "samples").mkdir()
    Image.new("L", (300, 300)).save(run_folder / "samples" / "step-0000500.png")
    (run_folder / "samples" / "step-0001000.png").write_bytes(b"broken off")
    assert main(["diagnose", str(run_folder)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Failing: the discriminator dominates")
    page = (run_folder / "report.html").read_text()
    assert page.index("Failing") < page.index("What to change") < page.index("Findings")
    for outside in ("<script", 'src="http', "<link", "@import", "url(http"):
        assert outside not in page
    assert "data:image/png;base64" in page
    assert page.count("<svg") >= 4
    text = (run_folder / "report.md").read_text()
    assert "## mode collapse (critical)" in text
    assert "| 900 | finding" in text
    kept = json.loads((run_folder / "report.json").read_text())
    assert {"verdict", "findings", "best_checkpoint"} <= set(kept)
    finding = kept["findings"][0]
    assert {
        "name",
        "severity",
        "since_step",
        "evidence",
        "remedy",
        "confidence",
    } <= set(finding)


def test_json_is_one_document(run_folder, capsys):
    assert main(["diagnose", str(run_folder), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["findings"][0]["name"] == "discriminator_domination"


def test_a_file_is_reported_here_and_without_tensorflow(tmp_path):
    path = csv_file(tmp_path, table([90, 60, 40, 30, 28, 60, 70, 80, 90, 95]))
    here = tmp_path / "here"
    here.mkdir()
    program = (
        "import sys; from ganlab.cli.main import main; code = main(sys.argv[1:]); "
        "assert 'tensorflow' not in sys.modules; sys.exit(code)"
    )
    command = [sys.executable, "-c", program, "diagnose", str(path)]
    done = subprocess.run(
        [*command, "--json"], cwd=here, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["findings"][0]["name"] == "late_collapse"
    assert list(here.iterdir()) == []
    subprocess.run(command, cwd=here, capture_output=True, check=True)
    assert (here / "log-report" / "report.html").exists()


def test_two_runs_are_compared(run_folder, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    about = {"recipe": made(recipe={"loss": "hinge"}).settings, "monitoring": {}}
    (other / "config.json").write_text(json.dumps(about))
    out = tmp_path / "compared"
    both = [str(run_folder), str(other)]
    assert main(["diagnose", *both, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "| `loss` | `non_saturating` | `hinge` |" in printed
    assert "mode collapse" in printed
    assert "<svg" in (out / "comparison.html").read_text()
    assert main(["diagnose", *both, str(other)]) == 2


def test_severities_are_ordered():
    found = diagnosis.diagnose(made(sure | ALIKE | {"data_wait_share": 0.2}))
    order = [diagnosis.SEVERITIES.index(each.severity) for each in found]
    assert all(a >= b for a, b in itertools.pairwise(order))
    assert len(order) == 3
