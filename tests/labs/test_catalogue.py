"""Every lab: its finding, remedy, log keys and source."""

import numpy as np
import pytest

from ganlab import labs
from ganlab.callbacks.scalars import SCALARS
from ganlab.config.settings import Recipe
from ganlab.diagnosis import FAILURES
from ganlab.errors import UserError


@pytest.mark.parametrize("lab", labs.LABS, ids=lambda lab: lab.name)
def test_a_remedy_changes_every_setting_that_it_names(lab):
    assert lab.finding in FAILURES
    assert set(lab.remedy) <= set(Recipe.__dataclass_fields__)
    recipe = lab.recipe.as_dict()
    assert all(recipe[key] != value for key, value in lab.remedy.items())
    assert set(lab.log_keys) <= set(SCALARS)
    assert lab.claim.endswith(".")
    assert lab.source.startswith("https://")


def test_names_are_unique():
    assert len({lab.name for lab in labs.LABS}) == len(labs.LABS) >= 12


def test_a_lab_is_found_by_its_name_alone():
    assert labs.get_lab("small-data").name == "small-data"
    with pytest.raises(UserError, match="Unknown lab.*ring-collapse"):
        labs.get_lab("ring")


def test_a_lab_of_few_images_makes_its_data(tmp_path):
    spec = labs.get_lab("small-data").make_data(tmp_path / "data")
    kind, _, path = spec.partition(":")
    assert kind == "npz"
    with np.load(path) as arrays:
        assert arrays["images"].shape == (320, 28, 28, 1)
