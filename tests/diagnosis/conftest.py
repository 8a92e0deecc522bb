"""Logs of healthy runs with some series changed, as objects, CSV files and folders."""

import json
from pathlib import Path

import numpy as np
import pytest

from ganlab import diagnosis
from ganlab.config.resolve import complete
from ganlab.config.settings import Monitoring, Recipe
from ganlab.diagnosis import Log, Series

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


def build_log(changes=(), recipe=None, events=(), distances=None, facts=None):
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
    return Log(Path("run"), series, None, list(events), settings, facts or {})


@pytest.fixture
def make_log():
    """A function that makes the log of a healthy run with some series changed."""
    return build_log


@pytest.fixture
def names_of():
    """A function that gives the names of a log's findings, notes left out."""

    def names(log):
        findings = diagnosis.diagnose(log)
        return [finding.name for finding in findings if finding.severity != "note"]

    return names


@pytest.fixture
def find():
    """A function that gives the finding of a name in a log, which must be whole."""

    def find_whole(log, name):
        by_name = {finding.name: finding for finding in diagnosis.diagnose(log)}
        finding = by_name[name]
        assert finding.severity in diagnosis.SEVERITIES
        assert 0 < finding.confidence < 1
        assert finding.evidence
        assert all(evidence["says"] for evidence in finding.evidence)
        assert set(finding.changes) <= set(Recipe.__dataclass_fields__)
        json.dumps(finding.as_dict(), allow_nan=False)
        return finding

    return find_whole


@pytest.fixture
def make_csv(tmp_path):
    """A function that writes text or bytes to a CSV file."""

    def make(content, name="log.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


@pytest.fixture
def collapsing_csv(make_csv):
    """The log of another trainer whose FID rises again."""
    return make_csv(fid_table([90, 60, 40, 30, 28, 60, 70, 80, 90, 95], d_loss=0.05))


@pytest.fixture
def healthy_csv(make_csv):
    """The log of another trainer whose FID falls and stays."""
    text = fid_table([90, 60, 40, 30, 28, 27, 27, 27, 27, 27])
    return make_csv(text, "healthy.csv")


def fid_table(fid, d_loss=0.9, every=10):
    lines = ["step,seconds,d_loss,g_loss,fid"]
    for index in range(len(fid) * every):
        value = fid[index // every] if index % every == every - 1 else ""
        lines.append(f"{(index + 1) * 100},{index * 60},{d_loss},1.5,{value}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def run_folder(tmp_path):
    """The folder of a collapsed run, as a trainer would have left it."""
    log = build_log(
        {
            "d_accuracy_real": 1.0,
            "d_accuracy_fake": 0.99,
            "d_fake": 0.001,
            "pairwise_ratio": 0.05,
        },
        {"batch_size": 32, "flip": True},
    )
    folder = tmp_path / "run"
    folder.mkdir()
    about = {
        "recipe": log.settings,
        "monitoring": {},
        "num_images": 9744,
        "class_names": [],
        "skipped": [],
    }
    (folder / "config.json").write_text(json.dumps(about))
    rows = [
        {"step": int(step), "seconds": 1.0, name: float(value)}
        for name, series in log.series.items()
        for step, value in zip(series.steps, series.values, strict=True)
    ]
    rows.append({"step": 900, "seconds": 1.0, "event": "finding", "finding": "x"})
    rows.sort(key=lambda row: row["step"])
    (folder / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return folder
