"""Is the package as small and as layered as it says?"""

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

import ganlab

ROOT = Path(__file__).parents[1]


def test_public_names_resolve():
    for name in ganlab.__all__:
        assert getattr(ganlab, name) is not None
    assert set(ganlab.__all__) <= set(dir(ganlab))
    with pytest.raises(AttributeError, match="nothing_here"):
        ganlab.nothing_here  # noqa: B018


def test_embedded_data_is_under_5_mb_and_has_its_licence():
    folder = resources.files("ganlab.data.fashion_mnist")
    files = list(folder.iterdir())
    assert sum(len(file.read_bytes()) for file in files if file.is_file()) < 5_000_000
    assert "Zalando" in (folder / "LICENSE").read_text()


def test_import_contract():
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
