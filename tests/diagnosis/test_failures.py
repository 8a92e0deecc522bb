"""Failures that are no setting's doing change no settings."""

from ganlab.diagnosis.failures import FAILURES


def test_faults_of_data_and_wiring_change_no_settings():
    for name in ("non_finite_data", "degenerate_data", "frozen_network"):
        assert FAILURES[name].changes is None
