"""Do the labs fail as they say, and are they cured?"""

import json
import time

import pytest
from PIL import Image

from ganlab import labs
from ganlab.callbacks.scalars import SCALARS
from ganlab.cli.main import main
from ganlab.config.settings import Recipe
from ganlab.diagnosis import FAILURES


@pytest.mark.parametrize("lab", labs.LABS, ids=lambda lab: lab.name)
def test_a_lab_changes_what_it_says(lab):
    assert lab.finding in FAILURES
    assert set(lab.remedy) <= set(Recipe.__dataclass_fields__)
    plain = lab.recipe.as_dict()
    assert all(plain[key] != value for key, value in lab.remedy.items())
    assert set(lab.shows) <= set(SCALARS)
    assert lab.claim.endswith(".")
    assert lab.source.startswith("https://")


def test_names_are_unique():
    assert len({lab.name for lab in labs.LABS}) == len(labs.LABS) >= 12


def test_the_quickest_lab_from_the_command_line(tmp_path, capsys):
    out = tmp_path / "lab"
    started = time.perf_counter()
    assert main(["lab", "run", "float16-unscaled", "--out", str(out)]) == 0
    assert time.perf_counter() - started < 120
    printed = capsys.readouterr().out
    assert "gradients vanish in float16" in printed
    assert "g_zero_gradient_share" in printed
    found = json.loads((out / "lab.json").read_text())
    assert found["shown"]
    assert found["failing"]["measured"]["g_zero_gradient_share"] > 0.9
    assert found["cured"]["measured"]["g_zero_gradient_share"] < 0.1
    with Image.open(out / "lab.png") as picture:
        assert picture.width == 1200
    assert (out / "failing" / "report.html").exists()
    assert main(["lab", "run", "float16-unscaled", "--out", str(out)]) == 2


def test_the_list_and_its_mistakes(capsys):
    assert main(["lab", "list"]) == 0
    assert "ring-collapse" in capsys.readouterr().out
    assert main(["lab", "list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(labs.LABS)
    assert main(["lab", "run"]) == 2
    assert main(["lab", "run", "ring"]) == 2
    assert "Unknown lab" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("lab", labs.LABS, ids=lambda lab: lab.name)
def test_every_lab_shows_its_claim(lab, tmp_path):
    from ganlab.labs.run import run_lab

    found = run_lab(lab, tmp_path / lab.name)
    assert found["shown"]
    assert found["cured"]["critical"] == []
