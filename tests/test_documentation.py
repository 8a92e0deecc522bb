"""Tests of README and docs: code runs, commands parse, links lead somewhere."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ganlab.cli.main import build_parser

ROOT = Path(__file__).parents[1]
SLOW = ("diagnose", "resume")  # pages whose Python trains for long
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "howto").glob("*.md")),
    *sorted((ROOT / "docs" / "reference").rglob("*.md")),
]


def blocks(page: Path, language: str) -> list[str]:
    """Returns the contents of a page's fenced blocks in one language."""
    pattern = rf"^```{language}\n(.*?)^```"
    return re.findall(pattern, page.read_text(), re.DOTALL | re.MULTILINE)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def commands() -> list[str]:
    lines = "\n".join("\n".join(blocks(page, "bash")) for page in PAGES).splitlines()
    calls = (line.split("&&")[-1].strip() for line in lines)
    return sorted({call for call in calls if call.startswith("ganlab ")})


@pytest.mark.parametrize("command", commands())
def test_every_command_parses(command):
    arguments = shlex.split(command, comments=True)[1:]
    if ">" in arguments:
        arguments = arguments[: arguments.index(">")]
    build_parser().parse_args(arguments)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    for target in targets:
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target


def test_every_guarantee_is_held_by_a_test_that_there_is():
    text = (ROOT / "docs" / "guarantees.md").read_text()
    tests = re.findall(r"`(tests/\S+\.py)::(\w+)`", text)
    assert len(tests) > 20
    for path, name in tests:
        assert f"def {name}(" in (ROOT / path).read_text(), (path, name)


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().split()) < 1500


@pytest.mark.e2e
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.slow] * (page.stem in SLOW))
        for page in PAGES
        if blocks(page, "python")
    ],
    ids=name_of,
)
def test_python_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved_models").mkdir()
    (tmp_path / "saved_models" / "fashion").symlink_to(ROOT / "saved_models/fashion")
    code = "\n".join(blocks(page, "python")).replace("epochs=20", "epochs=1")
    if "tf.distribute" in code:  # TensorFlow allows one such strategy a process
        subprocess.run([sys.executable, "-c", code], check=True)
    else:
        exec(compile(code, f"<{name_of(page)}>", "exec"), {"__name__": "__main__"})
