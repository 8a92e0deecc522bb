"""Unseen faults are faults too, and each changes its case by what it says."""

import numpy as np
import pytest

from ganlab.labs.faults import FAULTS, draw_failing, get_fault
from ganlab.labs.healthy import draw_image
from ganlab.labs.unseen_faults import UNSEEN

CHANGED = {
    "softmax-end": {"end"},
    "relu-end": {"end"},
    "random-labels": {"targets"},
    "rescaled-fakes": {"rescaled_fakes"},
    "heavy-decay": {"weight_decay"},
    "inference-mode": {"inference"},
    "one-latent": {"latent_dim"},
    "stale-fakes": {"stale_fakes"},
    "swapped-weights": {"swapped_weights"},
    "fixed-latents": {"fixed_latents"},
    "rare-discriminator": {"discriminator_every"},
    "near-targets": {"targets"},
    "untaped-penalty": {"taped"},
    "rescaled-reals": {"rescaled_reals"},
    "still-average": {"average"},
    "cropped-pictures": {"cropped"},
    "borrowed-loss": {"borrowed_loss"},
    "other-labels": {"other_labels"},
}


def test_unseen_kinds_are_drawn_with_the_others():
    assert set(UNSEEN) < set(FAULTS)
    assert {fault.name for fault in UNSEEN} == set(CHANGED)


@pytest.mark.parametrize("name", CHANGED)
def test_an_unseen_fault_changes_its_case(name):
    case = draw_failing(get_fault(name), 1)
    sound = draw_image(1, np.random.default_rng(0)).as_dict()
    for field in CHANGED[name]:
        assert case.as_dict()[field] != sound[field]
