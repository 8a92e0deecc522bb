"""What a loss of one's own takes over from the base class."""

import numpy as np
import pytest

from ganlab.objectives.adversarial import AdversarialLoss


def test_margins_are_the_logits_unless_a_loss_says_otherwise():
    logits = np.array([[1.0], [-2.0]], np.float16)
    real, fake = AdversarialLoss().margins(logits, 2 * logits)
    np.testing.assert_array_equal(real, logits)
    np.testing.assert_array_equal(fake, 2 * logits)
    assert real.dtype == fake.dtype == "float32"


def test_both_losses_are_to_be_defined():
    for method in ("discriminator", "generator"):
        with pytest.raises(NotImplementedError):
            getattr(AdversarialLoss(), method)(None, None)
    assert AdversarialLoss.from_config({}).get_config() == {}
