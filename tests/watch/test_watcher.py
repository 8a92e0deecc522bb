"""A watcher waits, follows, and reads no more often than it may."""

import os
import shutil
import time

import pytest

from ganlab.watch import watcher as watcher_module
from ganlab.watch.watcher import INTERVAL, Watcher


def test_a_run_is_waited_for_and_followed_to_its_end(run, make_watcher, look):
    watcher = make_watcher(run.path)
    status, report = look(watcher)
    assert (status["state"], report) == ("waiting", None)
    assert status["text"] == f"Waiting for {run.path} to appear"
    run.begin()
    assert look(watcher)[0]["text"] == "Waiting for its first line"
    run.append({"step": 0, "seconds": 0, "event": "began", "loss": "hinge"})
    assert look(watcher)[0]["text"] == "Waiting for the first numbers"
    run.log(50, 500)
    status, report = look(watcher)
    assert status["state"] == "running"
    assert report["verdict"].startswith("Healthy")
    run.append({"step": 500, "seconds": 6, "event": "interrupted"})
    assert look(watcher)[0]["state"] == "interrupted"


def test_findings_appear_as_the_log_grows(run, make_watcher, look):
    run.begin()
    run.log(50, 500)
    watcher = make_watcher(run.path)
    assert look(watcher)[1]["findings"] == []
    run.log(550, 2000, healthy=False)
    names = [finding["name"] for finding in look(watcher)[1]["findings"]]
    assert names[0] == "mode_collapse"


def test_half_a_line_is_waited_for(run, make_watcher, look):
    run.begin()
    run.log(50, 200)
    watcher = make_watcher(run.path)
    look(watcher)
    with run.folder.metrics.open("a") as file:
        file.write('{"step": 250, "d_lo')
    _, report = look(watcher)
    assert report["progress"]["step"] == 200
    assert report["problems"] == []
    with run.folder.metrics.open("a") as file:
        file.write('ss": 1.0}\n')
    assert look(watcher)[1]["progress"]["step"] == 250


def test_a_report_is_given_once_to_who_has_it(run, make_watcher, look):
    run.begin()
    run.log(50, 200)
    watcher = make_watcher(run.path)
    status, report = look(watcher)
    assert report is not None
    again, report = look(watcher, known=status["version"])
    assert (again["version"], report) == (status["version"], None)
    assert look(make_watcher(run.path), known=status["version"])[1] is not None


def test_a_folder_that_goes_away_and_comes_back(run, make_watcher, look):
    run.begin()
    run.log(50, 500)
    watcher = make_watcher(run.path)
    first, _ = look(watcher)
    shutil.rmtree(run.path)
    status, report = look(watcher, known=first["version"])
    assert (status["state"], status["version"], report) == ("waiting", "", None)
    run.begin()
    run.log(50, 100)
    status, report = look(watcher, known=first["version"])
    assert status["state"] == "running"
    assert report["progress"]["step"] == 100


def test_what_is_not_changed_is_not_read(run, make_watcher, look, monkeypatch):
    run.begin()
    run.log(50, 200)
    watcher = make_watcher(run.path)
    version = look(watcher)[0]["version"]

    def fail(report, pictures):
        raise AssertionError("read again")

    monkeypatch.setattr(watcher_module, "describe", fail)
    assert look(watcher)[0]["version"] == version


def times_of_looks(run, clock, costs, monkeypatch):
    looks = []

    class Slow(watcher_module.Subject):
        def stamp(self):
            looks.append(clock.seconds)
            clock.seconds += costs[min(len(looks), len(costs)) - 1]
            return ()

    monkeypatch.setattr(watcher_module, "Subject", Slow)
    watcher = Watcher(run.path, clock=clock, cost=clock)
    while clock.seconds < 100:
        watcher.look()
        clock.seconds += 0.5
    return looks


def test_reading_takes_a_tenth_of_the_time(run, clock, monkeypatch):
    looks = times_of_looks(run, clock, [3.0], monkeypatch)
    assert looks == [0.0, 4.0, 37.0, 70.0]  # the second at once


def test_after_a_first_reading_that_is_dear_others_are_not_late(
    run, clock, monkeypatch
):
    looks = times_of_looks(run, clock, [20.0, 0.0625], monkeypatch)
    assert len(looks) > 40
    assert looks[1] == 21.0


def test_what_is_dear_to_find_unchanged_is_looked_at_seldom(
    run, clock, make_watcher, look, monkeypatch
):
    run.begin()
    run.log(50, 100)
    watcher = make_watcher(run.path)
    version = look(watcher)[0]["version"]
    stamp = watcher_module.Subject.stamp

    def slow(self):
        clock.seconds += 2.0
        return stamp(self)

    monkeypatch.setattr(watcher_module.Subject, "stamp", slow)
    look(watcher)
    run.log(150, 200)
    for later, expected in ((19.0, True), (2.0, False)):
        clock.seconds += later
        watcher.look()
        assert (watcher.status()["version"] == version) is expected


def test_quick_looks_are_apart_too(run, clock):
    watcher = Watcher(run.path, clock=clock, cost=clock)
    watcher.look()
    run.begin()
    run.log(50, 100)
    clock.seconds = INTERVAL / 2
    watcher.look()
    assert watcher.status()["state"] == "waiting"
    clock.seconds = INTERVAL
    watcher.look()
    assert watcher.status()["state"] == "running"


@pytest.mark.parametrize(("gap", "quiet_after"), [(0.5, 60), (30.0, 300)])
def test_a_log_without_new_lines_is_quiet(run, gap, quiet_after, clock):
    run.begin()
    for index in range(10):
        row = {"step": index, "seconds": index * gap, "d_loss": 1.0, "g_loss": 1.0}
        run.append(row)
    now = time.time()
    watcher = Watcher(run.path, clock=clock, cost=clock, now=lambda: now)
    watcher.look()
    assert watcher.status()["quiet_seconds"] is None
    now += quiet_after - 5
    assert watcher.status()["quiet_seconds"] is None
    now += 10
    quiet = watcher.status()["quiet_seconds"]
    assert quiet == pytest.approx(quiet_after + 5, abs=3)


def test_a_run_that_ended_is_not_quiet(run, clock):
    run.begin()
    run.log(1900, 2000)
    os.utime(run.folder.metrics, (0, 0))
    watcher = Watcher(run.path, clock=clock, cost=clock, now=lambda: time.time() + 1e6)
    watcher.look()
    assert (watcher.status()["state"], watcher.status()["quiet_seconds"]) == (
        "finished",
        None,
    )


def test_another_trainers_log(tmp_path, make_watcher, look):
    path = tmp_path / "log.csv"
    watcher = make_watcher(path)
    assert look(watcher)[0]["state"] == "waiting"
    path.write_text("step,d_loss,g_loss\n")
    assert look(watcher)[0]["text"] == "Waiting for the first numbers"
    rows = "".join(f"{step},0.0001,9.0\n" for step in range(100, 3000, 10))
    path.write_text("step,d_loss,g_loss\n" + rows)
    status, report = look(watcher)
    assert status["state"] == "running"
    assert report["findings"][0]["name"] == "discriminator_domination"
    assert (report["pictures"], report["command"]) == ([], None)


def test_what_cannot_be_read_is_told_and_tried_again(tmp_path, make_watcher, look):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("step,d_loss,g_loss\n1,1,1\n")
    watcher = make_watcher(tmp_path)
    status, report = look(watcher)
    assert (status["state"], report) == ("unreadable", None)
    assert "Expected a folder with one log" in status["text"]
    (tmp_path / "b.csv").unlink()
    assert look(watcher)[0]["state"] == "running"


def test_columns_of_a_run_are_a_mistake(run, make_watcher, look):
    run.begin()
    run.log(50, 100)
    status, _ = look(make_watcher(run.path, {"d_loss": "critic"}))
    assert status["state"] == "unreadable"
    assert "leave --columns out" in status["text"]


def test_pictures_are_those_of_the_run(run, make_watcher, look, tmp_path):
    run.begin()
    run.log(50, 200)
    run.picture(0)
    run.picture(100)
    run.folder.picture(200).write_bytes(b"no picture")
    watcher = make_watcher(run.path)
    assert look(watcher)[1]["pictures"] == [0, 100, 200]
    assert watcher.picture(100) == run.folder.picture(100).read_bytes()
    for step in (1, 200):
        assert watcher.picture(step) is None
    run.folder.picture(100).unlink()
    assert watcher.picture(100) is None


def test_a_look_that_fails_leaves_the_next_one_free(run, clock, monkeypatch):
    run.begin()
    run.log(50, 100)
    watcher = Watcher(run.path, clock=clock, cost=clock)
    with monkeypatch.context() as patched:
        patched.setattr(watcher_module, "describe", lambda report, pictures: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            watcher.look()
    watcher.look()
    assert watcher.status()["state"] == "running"


def test_an_error_of_the_system_is_told(run, make_watcher, look, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied", "metrics.jsonl")

    monkeypatch.setattr(watcher_module.Subject, "stamp", refuse)
    status, _ = look(make_watcher(run.path))
    assert (status["state"], "Permission denied" in status["text"]) == (
        "unreadable",
        True,
    )
