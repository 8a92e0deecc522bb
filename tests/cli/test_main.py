"""The command line: help, exit codes, and what it does not import."""

import logging
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ganlab.cli import main as command_line
from ganlab.cli.main import COMMANDS, build_parser, main
from ganlab.errors import RunError, UserError
from ganlab.safety.interruption import Interrupted

SHIPPED = Path(__file__).parents[2] / "saved_models" / "fashion"
NAMES = [
    "train",
    "check",
    "watch",
    "diagnose",
    "lab",
    "export",
    "sample",
    "filter",
    "serve",
    "verify",
    "evaluate",
    "fetch-inception",
]


def help_of(capsys, *command):
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    return capsys.readouterr().out


def test_help_lists_every_command(capsys):
    printed = help_of(capsys)
    assert re.findall(r"^    ([a-z-]+)", printed, re.MULTILINE) == NAMES
    assert len(COMMANDS) == len(NAMES)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", NAMES)
def test_help_has_headed_groups_and_keeps_the_width(capsys, monkeypatch, name, width):
    monkeypatch.setenv("COLUMNS", str(width))
    printed = help_of(capsys, name)
    assert printed.startswith(f"usage: ganlab {name}")
    assert "\noptions:" not in printed
    assert "\nhelp:\n" in printed
    assert max(map(len, printed.splitlines())) <= width
    assert "--precision" not in printed


def test_train_help_is_made_from_the_table(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    printed = help_of(capsys, "train")
    for text in (
        "\nobjective:\n",
        "one of minimax, non_saturating, least_squares, hinge, wasserstein",
        "(default: non_saturating)",
        "16 to 512 (default: the data's own)",
        "dcgan, wgan-gp, sngan, r3gan, small-data, emoji, projected (default: dcgan)",
        "what to do when a critical finding appears (default: warn)",
        "gradient_accumulation_steps",
    ):
        assert text in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required"),
        (["fly"], "invalid choice: 'fly'"),
        (["sample", "a", "--format", "float8"], "argument --format: invalid choice"),
        (["train", "--steps", "1", "--epochs", "1"], "not allowed with"),
        (["train", "--steps", "1", "--minutes", "1"], "not allowed with"),
        (["train", "--minutes", "0"], "expected a number above 0, received '0'"),
    ],
)
def test_what_cannot_be_parsed_is_one_line(capsys, arguments, message):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UserError("Expected a. Received: b"), 2, "Expected a. Received: b"),
        (RunError("diverged"), 1, "diverged"),
        (FileNotFoundError(2, "No such file", "x.png"), 2, "read or write x.png"),
        (OSError("no space"), 2, "no space"),
        (OSError(28, "No space left on device", "x"), 1, "x: No space left"),
        (MemoryError("a\nb"), 1, "lower the batch size"),
        (FileNotFoundError(2, "No", "\x1b[2J\nganlab: a"), 2, r"\u001b[2J\nganlab: a"),
        (KeyboardInterrupt(), 130, "stopped"),
        (Interrupted(signal.SIGTERM, "stopped watching"), 143, "stopped watching"),
    ],
)
def test_errors_become_exit_codes(capsys, monkeypatch, error, code, message):
    def fail(options):
        raise error

    parser = build_parser()
    monkeypatch.setattr(command_line, "build_parser", lambda: parser)
    options = parser.parse_args(["lab", "list"])
    options.run = fail
    monkeypatch.setattr(parser, "parse_args", lambda arguments: options)
    assert main(["lab", "list"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("ganlab: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--help"], "numpy tensorflow keras matplotlib onnxruntime"),
        (["--version"], "numpy tensorflow keras matplotlib onnxruntime"),
        (["train", "--help"], "numpy tensorflow keras matplotlib onnxruntime"),
        (["watch", "--help"], "numpy tensorflow keras matplotlib http.server"),
        (["check", "--help"], "numpy tensorflow keras matplotlib PIL"),
        (["diagnose", "--help"], "numpy tensorflow keras matplotlib PIL"),
        pytest.param(
            ["check", "--data", "ring"],
            "matplotlib sklearn onnxruntime tensorflow_datasets",
            marks=pytest.mark.e2e,
        ),
        (["diagnose", "log.csv"], "tensorflow keras matplotlib scipy urllib.request"),
        (["sample", str(SHIPPED)], "tensorflow keras tf2onnx"),
        (["serve", "--help"], "numpy tensorflow keras onnxruntime starlette uvicorn"),
        (["lab", "list"], "tensorflow keras"),
    ],
)
def test_what_is_not_imported(tmp_path, arguments, unwanted):
    (tmp_path / "log.csv").write_text("step,d_loss,g_loss\n0,1,1\n1,1,1\n")
    script = (
        "import sys; from ganlab.cli.main import main\n"
        "try: code = main(sys.argv[1:])\n"
        "except SystemExit as stop: code = stop.code\n"
        f"loaded = set({unwanted.split()}) & set(sys.modules)\n"
        "assert not loaded, loaded\n"
        "sys.exit(code)"
    )
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_is_logged_controls_no_terminal(capsys, monkeypatch):
    def log(options):
        logging.getLogger("ganlab").warning("classes %s", "a\x1b[2J\nganlab: fine")

    parser = build_parser()
    monkeypatch.setattr(command_line, "build_parser", lambda: parser)
    options = parser.parse_args(["lab", "list"])
    options.run = log
    monkeypatch.setattr(parser, "parse_args", lambda arguments: options)
    assert main(["lab", "list"]) == 0
    assert capsys.readouterr().err == "classes a\\u001b[2J\\nganlab: fine\n"


def test_an_operator_that_nothing_can_stop_is_left_behind(tmp_path):
    script = (
        "import sys, threading, time; from ganlab.safety import onnx_model\n"
        "from ganlab.cli.main import main\n"
        "def run(): time.sleep(60)\n"
        "threading.Thread(target=run, name=onnx_model.THREAD).start()\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", script, "sample", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert done.returncode == 2
    assert done.stderr.startswith("ganlab: Expected an artifact")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_lead_nowhere(tmp_path, closed):
    command = f"{sys.executable} -m ganlab lab list {closed}; echo $? > code"
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)
    assert (tmp_path / "code").read_text() == "0\n"
    assert [path.name for path in tmp_path.iterdir()] == ["code"]


STUCK = """
import atexit, os, signal, sys, threading
from ganlab.cli import sample
from ganlab.cli.main import main

def run(options):
    threading.Thread(target=threading.Event().wait).start()
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait()

sample.run = run
sys.argv = ["ganlab", "sample", "artifact"]
atexit.register(print, "cleaned")
sys.exit(main())
"""


def test_a_signal_does_not_wait_for_threads():
    done = subprocess.run(
        [sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 143
    assert (done.stdout, done.stderr) == ("cleaned\n", "ganlab: stopped\n")


def test_a_reader_that_has_left_is_no_mistake():
    command = f"({sys.executable} -m ganlab lab list; echo $? >&2) | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "141\n")
