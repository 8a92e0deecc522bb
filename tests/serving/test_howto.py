"""The page on serving: its client's code and its `curl` commands do what they say."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "howto" / "serve.md").read_text(encoding="utf-8")
CURLS = re.findall(r"^(curl .*)$", PAGE, re.MULTILINE)


def test_the_clients_code_runs(server):
    (code,) = re.findall(r"^```py\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    code = code.replace("127.0.0.1:8000", "{}:{}".format(*server.socket_name))
    names = {}
    exec(compile(code, "serve.md", "exec"), names)
    assert names["pixels"].shape == (4, 28, 28, 1)
    assert names["pixels"].dtype == np.uint8
    names["client"].close()


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
@pytest.mark.parametrize("command", CURLS)
def test_each_command_is_answered(server, tmp_path, command):
    words = shlex.split(command.replace("http://127.0.0.1:8000/", server.url))
    done = subprocess.run(
        [*words, "--silent", "--fail-with-body"], cwd=tmp_path, capture_output=True
    )
    assert done.returncode == 0, done.stdout
    if "-o" in words:
        content = (tmp_path / words[words.index("-o") + 1]).read_bytes()
        assert content[:4] in (b"\x89PNG", b"PK\x03\x04")
    else:
        assert done.stdout.startswith(b"{")


def test_there_are_commands():
    assert len(CURLS) >= 4
