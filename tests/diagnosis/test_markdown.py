"""Reports as Markdown."""

import dataclasses

from ganlab.diagnosis import report


def test_a_report_holds_finding_remedy_and_timeline(run_folder):
    text = report.as_markdown(report.examine(run_folder))
    assert text.startswith(f"# {run_folder}\n\n**Failing: the discriminator dominates")
    assert "## mode collapse (critical)\n\n`mode_collapse`, since step 50" in text
    assert (
        "(`loss=relativistic regularizer=r1+r2 discriminator_normalization=none`)"
        in text
    )
    assert "| 900 | finding: finding x |" in text


def test_trials_are_a_table(run_folder):
    trial = {"name": "a", "changes": {"loss": "hinge"}, "fid": None, "findings": []}
    trials = [{**trial, "kept": True}, {**trial, "fid": 1.234, "kept": False}]
    examined = dataclasses.replace(report.examine(run_folder), trials=trials)
    text = report.as_markdown(examined)
    assert (
        "| a **kept** | loss=hinge | none | none |\n| a | loss=hinge | 1.23 |" in text
    )


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
