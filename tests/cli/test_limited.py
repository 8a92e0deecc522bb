"""Where memory is limited, an abort is told in one line; signals are passed on."""

import subprocess
import sys

import pytest

RUN = """
import os, resource, signal, sys, threading
from ganlab.cli.limited import run_limited
from ganlab.errors import RunError

if sys.argv[1] != "unlimited":
    resource.setrlimit(resource.RLIMIT_AS, (int(float(sys.argv[1]) * 1e9),) * 2)
parent = os.getpid()

def end():
    print(os.getpid() != parent, flush=True)
    os.kill(os.getpid(), getattr(signal, sys.argv[3]))

def wait():
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(os.getpid()))
    print(os.getpid() != parent, flush=True)
    while not stopped:
        threading.Event().wait(0.05)
    print("stopped", flush=True)
    return 143

commands = {"end": end, "leave": lambda: os._exit(int(sys.argv[3])), "wait": wait}
try:
    sys.exit(run_limited(commands[sys.argv[2]]))
except RunError as error:
    sys.exit(f"RunError: {error}")
"""


def start(*words):
    command = [sys.executable, "-c", RUN, *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)


def run(*words):
    process = start(*words)
    printed, error = process.communicate(timeout=30)
    return process.returncode, printed, error.strip()


def test_without_a_limit_there_is_one_process():
    assert run("unlimited", "leave", "3") == (3, "", "")
    assert run("unlimited", "end", "SIGABRT")[:2] == (-6, "False\n")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["end", "SIGABRT"], "SIGABRT"),
        (["end", "SIGSEGV"], "SIGSEGV"),
        (["leave", "127"], "exit 127"),
    ],
    ids=["abort", "fault", "thread"],
)
def test_an_abort_is_one_line(words, name):
    code, _, error = run("4", *words)
    assert code == 1
    assert error.startswith("RunError: Expected more memory than 4.00 GB by ulimit -v.")
    assert f"an abort ({name}); raise" in error
    assert "\n" not in error


def test_another_end_is_the_commands_own():
    assert run("4", "leave", "2") == (2, "", "")
    assert run("4", "end", "SIGKILL")[0] == 137


def test_too_little_memory_is_refused_before_anything_else():
    code, printed, error = run("0.2", "end", "SIGABRT")
    assert (code, printed) == (1, "")
    assert "Expected 0.25 GB of memory or more. Received: a limit of 0.20 GB" in error


@pytest.mark.parametrize("signal", ["terminate", "kill"])
def test_the_command_ends_with_the_process_that_waits(signal):
    process = start("4", "wait")
    assert process.stdout.readline() == "True\n"
    getattr(process, signal)()
    assert process.stdout.readline() == "stopped\n"
    process.communicate(timeout=30)
    assert process.returncode == (143 if signal == "terminate" else -9)
