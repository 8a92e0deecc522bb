"""`ganlab serve`: an address, an end that loses nothing, and mistakes of one line."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from ganlab.cli import serve
from ganlab.cli.main import main

FASHION = Path(__file__).parents[2] / "saved_models" / "fashion"
# A process that a shell started in the background ignores Ctrl-C.
SCRIPT = (
    "import signal, sys; from ganlab.cli.main import main\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "code = main(sys.argv[1:])\n"
    "sys.exit('TensorFlow' if 'tensorflow' in sys.modules else code)"
)


@pytest.mark.e2e
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_in_one_line_without_tensorflow(name):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "serve", str(FASHION), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(f"{address}v2/health/ready", timeout=60) as reply:
            assert json.load(reply) == {"ready": True}
        process.send_signal(getattr(signal, name))
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 128 + getattr(signal, name)
    assert out == ""
    first, last = err.splitlines()
    assert json.loads(first)["model"] == "fashion"
    assert json.loads(first)["artifact"] == str(FASHION)
    message = "ganlab: stopped serving; every request that was taken is answered"
    assert last == message


def test_a_port_in_use_is_one_line(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", str(FASHION), "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert error == (
        f"ganlab: Expected a free port. Received: 127.0.0.1:{port}, a port that is in "
        "use; name another with --port\n"
    )


@pytest.mark.parametrize(
    "words",
    [["nowhere"], [str(FASHION), str(FASHION)], [f"a b={FASHION}"]],
    ids=["no artifact", "one name twice", "no name"],
)
def test_mistakes_are_one_line(words, capsys):
    assert main(["serve", *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("ganlab: Expected")
    assert error.count("\n") == 1


def test_missing_packages_are_named(monkeypatch, capsys):
    monkeypatch.setattr(serve, "PACKAGES", ("starlette", "no_such_package"))
    assert main(["serve", str(FASHION)]) == 2
    error = capsys.readouterr().err
    assert "no no_such_package; pip install 'ganlab[serve]'" in error
