"""A run is examined: findings, best step, verdict, timeline."""

import json
from pathlib import Path

from ganlab.diagnosis import report

SHIPPED = Path(__file__).parents[2] / "saved_models" / "fashion"


def test_a_foreign_log_is_read_and_judged(collapsing_csv, healthy_csv):
    examined = report.examine(collapsing_csv)
    assert {finding.name for finding in examined.findings} == {
        "late_collapse",
        "discriminator_domination",
    }
    assert examined.best == {"step": 5000, "fid": 28.0, "path": None}
    assert examined.best_text == "step 5,000, FID 28"
    assert examined.verdict.startswith("Failing: the discriminator dominates")
    assert examined.command is None
    assert report.examine(healthy_csv).verdict.startswith("Healthy")


def test_the_best_checkpoint_names_the_extractor(run_folder):
    card = json.loads((SHIPPED / "card.json").read_text())
    (run_folder / "checkpoints").mkdir()
    best = {"step": 700, "scores": {"fid": {"value": 2.5}}}
    best["protocol"] = card["metrics"]["protocol"]
    (run_folder / "checkpoints" / "best.json").write_text(json.dumps(best))
    examined = report.examine(run_folder)
    path = run_folder / "checkpoints" / "best.keras"
    assert examined.best == {"step": 700, "fid": 2.5, "path": str(path)}
    assert examined.best_text == f"step 700, FID[fashion_mnist] 2.5, {path}"
    assert (700, "best: FID[fashion_mnist] 2.5") in examined.timeline()
    (run_folder / "checkpoints" / "best.json").write_text("{}")
    assert report.examine(run_folder).best["path"] is None


def test_the_timeline_is_in_order(run_folder):
    timeline = report.examine(run_folder).timeline()
    assert timeline == sorted(timeline, key=lambda event: event[0])
    assert (900, "finding: finding x") in timeline
    assert timeline[-1] == (2000, "last step logged")
