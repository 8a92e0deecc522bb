"""Settings of networks are arguments of the functions that build them."""

import inspect

import pytest

from ganlab.config import choices
from ganlab.config.settings import SETTINGS, Recipe


@pytest.mark.parametrize("network", choices.NETWORKS)
@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_networks_take_what_the_table_says(network, role):
    from ganlab import networks

    parameters = set(
        inspect.signature(getattr(networks, f"{network}_{role}")).parameters
    )
    arguments = {getattr(setting, role) for setting in SETTINGS.values()} - {None}
    taken = {
        getattr(setting, role)
        for setting in SETTINGS.values()
        if network in setting.networks
    } - {None}
    assert taken == arguments & parameters


def test_they_stand_between_the_data_and_the_objective():
    groups = [SETTINGS[name].group for name in Recipe().as_dict()]
    assert list(dict.fromkeys(groups)) == [
        "Run",
        "Data",
        "Networks",
        "Objective",
        "Training",
    ]
    assert groups.count("Networks") > 15
