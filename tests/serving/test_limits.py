"""What a server takes is what the command says that it takes."""

import pytest

from ganlab.cli.main import main
from ganlab.serving.limits import Limits


def test_the_help_states_the_limits(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for value in (Limits.max_images, Limits.queue, f"{Limits.seconds:g}"):
        assert f"default: {value})" in text
