"""Settings that change no image."""

import pytest

from ganlab.config import settings
from ganlab.config.monitoring import Monitoring
from ganlab.errors import UserError


def test_the_table_holds_them():
    assert settings.Monitoring is Monitoring
    assert settings.SETTINGS["cache"].choices == ("memory", "disk", "stream")


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_a_wrong_monitoring_is_refused(share):
    message = f"probe share above 0 and at most 1. Received: {share}"
    with pytest.raises(UserError, match=message):
        Monitoring(probe_share=share)
    with pytest.raises(UserError, match="evaluate images of 6 or more"):
        Monitoring(evaluate_images=5)
