"""Signals are heeded at once, or where nothing is half done."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from ganlab.safety import interruption
from ganlab.safety.interruption import Interrupted


def send(number):
    """Signals this process, and lets Python run the handler."""
    os.kill(os.getpid(), number)
    threading.Event().wait(0.001)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["ctrl-c", "term", "hup"],
)
def test_a_signal_interrupts_at_once_where_none_is_held(number, code):
    before = signal.getsignal(number)
    with (
        pytest.raises(Interrupted, match="^stopped$") as caught,
        interruption.handled(),
    ):
        send(number)
    assert caught.value.exit_code == code
    assert signal.getsignal(number) is before
    assert Interrupted.of(caught.value, "later").exit_code == code
    assert Interrupted.of(KeyboardInterrupt(), "later").exit_code == 130


def test_a_signal_that_is_held_is_heeded_later():
    with interruption.handled():
        interruption.heed()
        interruption.hold()
        send(signal.SIGTERM)
        with pytest.raises(Interrupted):
            interruption.heed()
        interruption.heed()  # is heeded once
    assert not interruption.is_held()


def test_a_signal_that_is_held_is_heeded_at_the_end_of_the_block():
    steps = []

    def work():
        with interruption.handled(), interruption.handled():
            interruption.hold()
            send(signal.SIGHUP)
            steps.append("last")

    with pytest.raises(Interrupted):
        work()
    assert steps == ["last"]


def test_what_leaves_nothing_half_done_is_interrupted_at_once():
    def send_at_once():
        with interruption.at_once():
            send(signal.SIGTERM)
            pytest.fail("was held")

    with interruption.handled():
        interruption.hold()
        with pytest.raises(Interrupted):
            send_at_once()
        assert interruption.is_held()
        send(signal.SIGTERM)
        with pytest.raises(Interrupted), interruption.at_once():
            pytest.fail("began")


def test_the_second_ctrl_c_does_not_wait():
    with interruption.handled():
        interruption.hold()
        send(signal.SIGINT)
        with pytest.raises(Interrupted):
            send(signal.SIGINT)
        assert not interruption.is_held()
        with pytest.raises(Interrupted):
            interruption.heed()


def test_the_second_ctrl_c_does_not_wait_where_the_first_did_not():
    with interruption.handled():
        with pytest.raises(Interrupted):
            send(signal.SIGINT)
        interruption.hold()
        with pytest.raises(Interrupted):
            send(signal.SIGINT)


def test_an_echo_of_a_signal_disturbs_no_end():
    with interruption.handled():
        with pytest.raises(Interrupted):
            send(signal.SIGTERM)
        send(signal.SIGTERM)
    with interruption.handled(), pytest.raises(Interrupted):
        send(signal.SIGTERM)


LONG = """
import hashlib
from ganlab.safety import interruption
with interruption.ended_by_second_ctrl_c(), interruption.handled():
    interruption.hold()
    print("begun", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)  # one long instruction
"""


def test_a_second_ctrl_c_ends_what_does_not_hear_of_it():
    command = [sys.executable, "-c", LONG]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read() == "ganlab: stopped\n"


def test_a_block_that_ends_soon_after_the_second_ctrl_c_ends_as_it_does():
    before = signal.set_wakeup_fd(-1)
    with interruption.ended_by_second_ctrl_c(), interruption.handled():
        for _ in range(2):
            with pytest.raises(Interrupted):
                send(signal.SIGINT)
    assert signal.set_wakeup_fd(before) == -1


def test_another_signal_after_the_first_waits_too():
    with interruption.handled():
        interruption.hold()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGTERM):
            send(number)
        with pytest.raises(Interrupted):
            interruption.heed()


def test_signals_that_the_caller_handles_are_left_alone():
    numbers = []
    earlier = signal.signal(
        signal.SIGTERM, lambda number, frame: numbers.append(number)
    )
    ignored = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruption.handled():
            send(signal.SIGTERM)
            send(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGTERM, earlier)
        signal.signal(signal.SIGHUP, ignored)
    assert numbers == [signal.SIGTERM]


def test_outside_the_main_thread_nothing_changes():
    handlers = []

    def work():
        with interruption.handled():
            handlers.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [before]
