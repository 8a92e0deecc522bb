"""Cases are trained under a monitor, by ganlab and by Keras, and leave a log."""

import numpy as np
import pytest

from ganlab import diagnosis
from ganlab.labs import cases
from ganlab.labs.cases import Case

RANDOM = np.random.default_rng(0)
PICTURES = {
    "mnist": (
        RANDOM.integers(0, 256, (64, 16, 16, 1), np.uint8),
        RANDOM.integers(0, 3, 64).astype(np.int32),
    )
}
SMALL = Case(
    0,
    "keras",
    "mnist",
    width=4,
    latent_dim=4,
    batch_size=8,
    steps=4,
    loss="cross_entropy",
)


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    often = cases.MONITORING.replace(
        log_every=1, probe_every=2, probe_share=1.0, evaluate_every=100
    )
    monkeypatch.setattr(cases, "MONITORING", often)


@pytest.mark.e2e
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"conditional": True}, marks=pytest.mark.slow),
        {"trainer": "ganlab", "loss": "hinge", "penalty": 1.0},
        pytest.param(
            {"loss": "wasserstein", "penalty": 10.0, "discriminator_steps": 2},
            marks=pytest.mark.slow,
        ),
        {"loss": "saturating", "still": "generator", "still_by": "cut", "spike": 10.0},
    ],
)
def test_a_case_leaves_a_log(tmp_path, changes):
    assert cases.train(SMALL.replace(**changes), PICTURES, tmp_path / "run") is None
    log = diagnosis.read(tmp_path / "run")
    assert log.last_step == 4
    assert {"d_loss", "g_loss", "logit_separation", "g_drift"} <= set(log.series)


@pytest.mark.e2e
def test_what_is_refused_says_why(tmp_path):
    case = SMALL.replace(trainer="ganlab", loss="hinge", value_range="bytes")
    assert "scale them" in cases.train(case, PICTURES, tmp_path / "run")


def test_a_case_is_json(tmp_path):
    assert Case(**{**SMALL.as_dict()}) == SMALL
