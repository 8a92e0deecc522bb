"""`ganlab watch`: an address, an end by Ctrl-C, and mistakes of one line."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from ganlab.cli.main import main

# A process that a shell started in the background ignores Ctrl-C.
SCRIPT = (
    "import signal, sys; from ganlab.cli.main import main\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "sys.exit(main(sys.argv[1:]))"
)


@pytest.fixture
def start():
    """A function that starts `ganlab watch`, and gives the process and its address."""
    processes = []

    def watch(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, "watch", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process, process.stdout.readline().strip()

    yield watch
    for process in processes:
        process.kill()
        process.communicate()


def status_of(address):
    with urllib.request.urlopen(f"{address}status.json", timeout=10) as reply:
        return json.load(reply)


def test_a_run_is_waited_for_and_ctrl_c_ends_it_in_one_line(start, tmp_path):
    path = tmp_path / "run"
    process, address = start(path)
    assert address.startswith("http://127.0.0.1:")
    assert status_of(address)["state"] == "waiting"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines() == [
        f"Shows {path} until Ctrl-C",
        "ganlab: stopped watching; the run itself goes on",
    ]


def test_columns_are_those_of_the_log(start, tmp_path):
    path = tmp_path / "log.csv"
    rows = "".join(f"{row},0.9,1.2\n" for row in range(100))
    path.write_text("iter,critic,gen\n" + rows)
    _, address = start(path, "--columns", "d_loss=critic,g_loss=gen,step=iter")
    for _ in range(200):
        status = status_of(address)
        if status["state"] == "running":
            break
        time.sleep(0.05)
    assert json.loads(status["report"])["verdict"].startswith("Healthy")


def test_a_port_in_use_is_one_line(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["watch", str(tmp_path), "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert error == (
        f"ganlab: Expected a free port. Received: {port}, which is in use; name "
        "another with --port, or leave it out\n"
    )


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_what_is_no_port_is_one_line(tmp_path, capsys, port):
    with pytest.raises(SystemExit, match="2"):
        main(["watch", str(tmp_path), f"--port={port}"])
    assert capsys.readouterr().err.count("\n") == 1


def test_wrong_columns_are_one_line(tmp_path, capsys):
    assert main(["watch", str(tmp_path), "--columns", "loss"]) == 2
    assert "Expected --columns as NAME=COLUMN" in capsys.readouterr().err
