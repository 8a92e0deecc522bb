"""`ganlab diagnose`: which subjects it takes."""

import pytest

from ganlab.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a", "b", "c"], "one or two runs or files to diagnose. Received: 3"),
        (["a", "b", "--remedy-trials"], "one run for --remedy-trials. Received: 2"),
        (["nowhere"], "Expected a run folder or a .csv file"),
    ],
)
def test_a_mistake_in_diagnose_is_one_line(capsys, arguments, message):
    assert main(["diagnose", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
