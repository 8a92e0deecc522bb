"""Each fault changes a healthy case, and states findings that there are."""

import pytest

from ganlab.diagnosis.failures import FAILURES
from ganlab.errors import UserError
from ganlab.labs.faults import FAULTS, draw_failing, get_fault
from ganlab.labs.healthy import draw_image


def test_there_are_twenty_kinds_or_more_of_different_names():
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names) >= 20


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_fault_is_named_by_findings_and_changes_the_case(fault):
    assert fault.findings
    assert set(fault.findings) <= set(FAILURES)
    for seed in range(3):
        case = draw_failing(fault, seed)
        assert case == draw_failing(fault, seed)
        assert case != draw_failing(fault, seed + 3)


def test_an_unknown_fault_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match="nan-samples"):
        get_fault("none")


def test_kinds_of_one_seed_are_put_into_different_cases():
    latent_dims = {draw_failing(fault, 0).latent_dim for fault in FAULTS}
    assert len(latent_dims) > 1
    assert draw_image.__doc__
