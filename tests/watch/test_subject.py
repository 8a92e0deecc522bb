"""What is watched may not be there yet, go away, and become something else."""

import os
import shutil

import pytest

from ganlab.errors import UserError
from ganlab.watch.subject import Subject


def test_there_is_nothing_to_read_before_the_first_line(run):
    subject = Subject(run.path)
    assert subject.stamp() == ()
    run.path.mkdir()
    assert subject.stamp() == ()
    run.begin()
    assert subject.stamp() == ()
    run.log(50, 50)
    assert subject.stamp() != ()
    assert subject.folder == run.folder
    assert subject.read().last_step == 50


def test_the_stamp_changes_with_what_is_read(run):
    run.begin()
    run.log(50, 50)
    subject = Subject(run.path)
    stamps = [subject.stamp()]
    assert subject.stamp() == stamps[0]
    run.log(100, 100)
    stamps.append(subject.stamp())
    run.picture(100)
    stamps.append(subject.stamp())
    assert len(set(stamps)) == 3


def test_a_run_that_is_made_anew_is_read_anew(run):
    run.begin()
    run.log(50, 500)
    subject = Subject(run.path)
    subject.stamp()
    assert subject.read().last_step == 500
    shutil.rmtree(run.path)
    assert subject.stamp() == ()
    run.begin()
    run.log(50, 100)
    subject.stamp()
    assert subject.read().last_step == 100


def test_a_folder_may_become_another_trainers(run):
    run.begin()
    run.log(50, 100)
    subject = Subject(run.path)
    subject.stamp()
    shutil.rmtree(run.path)
    run.path.mkdir()
    (run.path / "metrics.csv").write_text("step,d_loss,g_loss\n1,1,1\n")
    assert len(subject.stamp()) == 1
    assert subject.folder is None
    assert subject.read().foreign


def test_a_script_is_known_by_the_events_of_its_log(run):
    run.path.mkdir()
    run.append({"step": 0, "seconds": 0.0, "event": "began", "loss": "hinge"})
    run.log(50, 100)
    subject = Subject(run.path)
    assert subject.stamp()
    assert subject.read().settings == {"loss": "hinge"}


def test_event_files_are_looked_at_one_by_one(tmp_path):
    subject = Subject(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "events.out.tfevents.1").write_bytes(b"")
    assert len(subject.stamp()) == 2


def test_columns_are_those_of_the_log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("iter,critic,gen\n7,1,2\n8,1,2\n")
    columns = {"step": "iter", "d_loss": "critic", "g_loss": "gen"}
    log = Subject(path, columns).read()
    assert log.series["d_loss"].steps.tolist() == [7, 8]


def test_what_is_no_log_is_refused(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(b"")
    with pytest.raises(UserError, match="a run folder or a log"):
        Subject(path).stamp()


def test_a_change_of_the_same_size_counts(run):
    run.begin()
    run.log(50, 50)
    subject = Subject(run.path)
    before = subject.stamp()
    os.utime(run.folder.metrics, ns=(0, 1))
    assert subject.stamp() != before
