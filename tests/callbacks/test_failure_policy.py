"""Findings of a running run are told once, and end it where they should."""

import io

import pytest

from ganlab import diagnosis
from ganlab.callbacks import FailurePolicy
from ganlab.diagnosis import Finding

EVIDENCE = [{"signal": "pairwise_ratio", "says": "fakes are alike"}]


@pytest.fixture
def find(monkeypatch, tmp_path):
    """A function that makes every diagnosis find mode collapse."""
    (tmp_path / "metrics.jsonl").write_text("")

    def always(severity):
        finding = Finding("mode_collapse", severity, 3, EVIDENCE, 0.9, {})
        monkeypatch.setattr(diagnosis, "diagnose", lambda log: [finding])

    return always


def events(rows):
    return [row["event"] for row in rows if "event" in row]


def fit_with(policy, gan, images):
    gan.fit(images, batch_size=4, verbose=0, callbacks=[policy])
    return int(gan.step.numpy())


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("action", "severity", "last_step", "expected"),
    [
        ("none", "critical", 4, []),
        ("warn", "critical", 4, ["finding"]),
        ("warn", "note", 4, []),
        ("stop", "warning", 4, ["finding"]),
        ("stop", "critical", 2, ["finding", "stopped"]),
        ("rollback", "critical", 2, ["finding", "stopped"]),
    ],
)
def test_actions(
    make_gan,
    images,
    run_log,
    read_rows,
    find,
    tmp_path,
    action,
    severity,
    last_step,
    expected,
):
    find(severity)
    stream = io.StringIO()
    policy = FailurePolicy(
        tmp_path, run_log, action, every=2, grace=0, stream=stream, clock=lambda: 0.0
    )
    assert fit_with(policy, make_gan(), images[0]) == last_step
    assert events(read_rows(tmp_path)) == expected
    assert (policy.finding is not None) == ("stopped" in expected)
    assert stream.getvalue().count("fakes are alike") == expected.count("finding")


@pytest.mark.e2e
def test_early_training_is_left_alone(
    make_gan, images, run_log, read_rows, find, tmp_path
):
    find("critical")
    policy = FailurePolicy(tmp_path, run_log, "stop", every=1, clock=lambda: 0.0)
    assert fit_with(policy, make_gan(), images[0]) == 4
    assert events(read_rows(tmp_path)) == []
    assert policy.finding is None
