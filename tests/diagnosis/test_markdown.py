"""Reports as Markdown."""

import dataclasses

from ganlab.diagnosis import report


def test_a_report_holds_finding_remedy_and_timeline(run_folder):
    text = report.as_markdown(report.examine(run_folder))
    assert text.startswith(f"# {run_folder}\n\n**Failing: the discriminator dominates")
    assert "## mode collapse (critical)\n\n`mode_collapse`, since step 50" in text
    assert (
        "(`loss=relativistic regularizer=r1+r2 discriminator_normalization=none "
        "beta_1=0.0`)" in text
    )
    assert "| 900 | finding: finding x |" in text


def test_trials_are_a_table(run_folder):
    trial = {"name": "a", "changes": {"loss": "hinge"}, "verdict": "so", "steps": 50}
    trial |= {"ratio": {"value": 0.5, "low": 0.4, "high": 0.6}, "score_name": "fid"}
    trial |= {"score": 1.234, "branches": [{"findings": ["x"]}], "kept": True}
    unchanged = trial | {"name": "no change", "verdict": None, "ratio": None}
    unchanged |= {"score": None, "kept": False, "changes": {}}
    examined = report.examine(run_folder)
    examined = dataclasses.replace(examined, trials=[trial, unchanged])
    lines = report.as_markdown(examined).splitlines()
    start = lines.index("## Remedies tried") + 2
    columns, rule, *rows = lines[start : start + 4]
    assert rule.count("|") == columns.count("|") == rows[0].count("|")
    assert rows == [
        "| a **kept** | loss=hinge | 50 | FID 1.23 | 0.500 [0.400, 0.600] | so | x |",
        "| no change |  | 50 | no score |  |  | x |",
    ]


def test_two_runs_differ_in_findings_and_settings(make_log):
    first, second = (
        report.Report(make_log(recipe={"loss": loss}), [], None)
        for loss in ("hinge", "minimax")
    )
    assert report.compare(first, second).splitlines() == [
        "# run and run",
        "",
        "| | run | run |",
        "|---|---|---|",
        f"| verdict | {first.verdict} | {second.verdict} |",
        "| best |  |  |",
        "| `loss` | `hinge` | `minimax` |",
    ]
