"""Labs fail as they claim, and their remedies cure them."""

import json

import pytest
from PIL import Image

from ganlab import labs
from ganlab.cli.main import main
from ganlab.labs.run import compare_arms, run_lab

DOMINATION = "discriminator_domination"


@pytest.mark.parametrize(
    ("failing", "cured", "holds"),
    [
        ([DOMINATION], [], True),
        ([DOMINATION, "mode_collapse"], ["mode_collapse"], True),
        ([DOMINATION], [DOMINATION], False),
        ([], [], False),
    ],
)
def test_a_claim_is_shown_if_the_finding_fires_on_the_failing_recipe_alone(
    make_reports, failing, cured, holds
):
    reports = make_reports((failing, [0.5, 0.1, 0.2]), (cured, [0.5, 0.4, 0.6]))
    result = compare_arms(labs.get_lab("strong-discriminator"), reports, seed=3)
    assert result["shown"] == holds
    assert result["seed"] == 3
    assert result["failing"]["findings"] == failing
    assert result["cured"]["critical"] == cured
    assert result["cured"]["measured"]["d_fake"] == pytest.approx(0.5)
    assert result["cured"]["measured"]["fid"] is None


def test_the_list_and_its_mistakes(capsys):
    assert main(["lab", "list"]) == 0
    assert "ring-collapse" in capsys.readouterr().out
    assert main(["lab", "list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(labs.LABS)
    assert main(["lab", "run"]) == 2
    assert main(["lab", "run", "ring"]) == 2
    assert "Unknown lab" in capsys.readouterr().err


@pytest.mark.slow
def test_the_quickest_lab_from_the_command_line(tmp_path, capsys):
    out = tmp_path / "lab"
    assert main(["lab", "run", "float16-unscaled", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "gradients vanish in float16" in printed
    assert "g_zero_gradient_share" in printed
    result = json.loads((out / "lab.json").read_text())
    assert result["shown"]
    assert result["failing"]["measured"]["g_zero_gradient_share"] > 0.9
    assert result["cured"]["measured"]["g_zero_gradient_share"] < 0.1
    with Image.open(out / "lab.png") as picture:
        assert picture.width == 1200
    assert (out / "failing" / "report.html").exists()
    assert main(["lab", "run", "float16-unscaled", "--out", str(out)]) == 2


@pytest.mark.slow
@pytest.mark.parametrize("lab", labs.LABS, ids=lambda lab: lab.name)
def test_every_lab_shows_its_claim(lab, tmp_path):
    result = run_lab(lab, tmp_path / lab.name)
    assert result["shown"]
    assert result["cured"]["critical"] == []
