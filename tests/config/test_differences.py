"""A run goes on with the settings that it began with, unless told."""

import pytest

from ganlab.config.differences import check_unchanged, differences
from ganlab.config.settings import Recipe
from ganlab.errors import UserError

OWN = Recipe(loss="hinge", batch_size=8, steps=5)


def test_the_length_may_change():
    longer = OWN.replace(steps=9)
    assert differences(longer.as_dict(), OWN.as_dict()) == {}
    check_unchanged(longer, OWN)


def test_every_setting_that_differs_is_named():
    other = OWN.replace(loss="wasserstein", beta_1=0.9)
    message = r"loss=wasserstein \(the run's: hinge\), beta_1=0.9 \(the run's: 0.5\)"
    with pytest.raises(UserError, match=f"{message}; leave .*--change-settings"):
        check_unchanged(other, OWN)
    check_unchanged(other, OWN, change=True)


def test_networks_do_not_change_midway():
    other = OWN.replace(generator_filters=8, loss="wasserstein")
    for change in (False, True):
        with pytest.raises(UserError, match="for generator_filters cannot change"):
            check_unchanged(other, OWN, change=change)
