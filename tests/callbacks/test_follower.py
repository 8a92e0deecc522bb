"""A loss is found under whatever name a model logs it."""

import pytest

from ganlab.callbacks.follower import find_loss


@pytest.mark.parametrize(
    ("keys", "d_loss", "g_loss"),
    [
        (["d_loss", "g_loss"], "d_loss", "g_loss"),
        (["gen_loss", "disc_loss"], "disc_loss", "gen_loss"),
        (["loss_G", "loss_D"], "loss_D", "loss_G"),
        (["loss", "accuracy"], None, None),
    ],
)
def test_losses_by_name(keys, d_loss, g_loss):
    assert find_loss("d_loss", keys) == d_loss
    assert find_loss("g_loss", keys) == g_loss
