"""`ganlab check`: prints problems, and exits 1 for a critical one."""

import json

import numpy as np
import pytest

from ganlab.cli.main import main
from ganlab.training import preflight
from ganlab.training.problem import Problem


def test_problems_are_printed_with_their_options(capsys, monkeypatch):
    problem = Problem(
        "a", "warning", "wrong", "mend it", {"beta_1": 0.0, "attention": True}
    )
    monkeypatch.setattr(preflight, "check", lambda *arguments: [problem])
    assert main(["check"]) == 0
    assert capsys.readouterr().out == (
        "warning   wrong\n          mend it: --set beta_1=0.0 --set attention=true\n"
    )
    assert main(["check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [problem.as_dict()]


@pytest.mark.e2e
def test_mistakes_are_found_before_training(capsys, tmp_path):
    assert main(["check", "--batch-size", "16"]) == 0
    assert "nothing found" in capsys.readouterr().out
    wrong = ["--set", "output_activation=sigmoid", "--set", "kernel_size=3"]
    assert main(["check", *wrong, "--batch-size", "16"]) == 1
    captured = capsys.readouterr()
    assert captured.out.index("critical") < captured.out.index("warning")
    assert "--set output_activation=tanh" in captured.out
    line = "fashion_mnist: 10,000 grey images of 28 x 28 pixels, classes T-shirt"
    assert captured.err.startswith(line)
    assert captured.err.count("\n") == 2
    few = tmp_path / "few.npz"
    pixels = np.random.default_rng(0).integers(0, 256, (30, 16, 16), np.uint8)
    np.savez(few, images=pixels)
    assert main(["check", "--data", f"npz:{few}", "--batch-size", "4"]) == 0
    printed = capsys.readouterr().out
    assert "30 images without augmentation" in printed
    assert "batch normalisation over 4 images" in printed
    assert main(["check", "--data", f"npz:{few}", "--batch-size", "64"]) == 2
