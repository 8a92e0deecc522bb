"""Is the package as small and as layered as it says?"""

import subprocess
import sys
import time
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


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_command_line_starts_in_under_600_ms(arguments):
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        command = [sys.executable, "-m", "ganlab", *arguments]
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.6
