"""Rules of numbers: not finite, or beyond what float16 can hold."""

import pytest

from ganlab import diagnosis

FLOAT16_UNSCALED = {"dtype_policy": "mixed_float16", "loss_scaling": False}
CASES = [
    ("float16_overflow", {"d_skipped_share": 0.5}, {"dtype_policy": "mixed_float16"}),
    ("float16_underflow", {"g_zero_gradient_share": 0.9}, FLOAT16_UNSCALED),
]


@pytest.mark.parametrize(("name", "changes", "recipe"), CASES)
def test_each_failure_is_named(make_log, find, name, changes, recipe):
    find(make_log(changes, recipe), name)


def test_a_diverged_run_names_its_tensor(make_log):
    event = {"step": 700, "event": "non_finite", "loss": "d_loss", "tensor": "d/w"}
    finding = diagnosis.diagnose(make_log(events=[event]))[0]
    assert (finding.name, finding.severity, finding.since_step) == (
        "non_finite",
        "critical",
        700,
    )
    assert "first in d/w" in finding.evidence[0]["says"]


def test_nan_losses_are_found(make_csv):
    path = make_csv("step,d_loss,g_loss\n1,0.5,0.5\n2,nan,0.5\n3,inf,0.5\n")
    (finding,) = diagnosis.diagnose(diagnosis.read(path))
    assert (finding.name, finding.severity, finding.since_step) == (
        "non_finite",
        "critical",
        2,
    )


def test_float16_is_scaled_first_and_left_second(make_log, find):
    zeros = {"g_zero_gradient_share": 0.9}
    unscaled = find(make_log(zeros, FLOAT16_UNSCALED), "float16_underflow")
    assert unscaled.changes == {"loss_scaling": True}
    scaled = find(
        make_log(zeros, {"dtype_policy": "mixed_float16"}), "float16_underflow"
    )
    assert scaled.changes == {"dtype_policy": "mixed_bfloat16"}
