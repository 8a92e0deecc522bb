"""A run folder is named, read and written in one place."""

import ast
import json
import re
from pathlib import Path

import pytest

import ganlab
from ganlab.errors import UserError
from ganlab.runs import RunFolder


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


def test_a_new_folder_is_one_without_a_run(folder):
    folder.check_new()
    assert not folder.holds_run()
    folder.write_config({})
    assert folder.holds_run()
    with pytest.raises(UserError, match="holds a run; name another with --out"):
        folder.check_new()


def test_folders_compare_by_path(folder):
    assert folder == RunFolder(str(folder.path)) != RunFolder("other")
    assert len({folder, RunFolder(folder.path)}) == 1
    assert str(folder) == str(folder.path)


def row(step, **more):
    return {"step": step, "seconds": 0.5 * step, **more}


def test_lines_are_appended_and_split(folder):
    assert folder.read_metrics() == []
    assert folder.rewind(0) == []
    assert not folder.holds_log()
    for step in (1, 2, 3):
        folder.append_metrics(row(step))
    with pytest.raises(ValueError, match="not JSON compliant"):
        folder.append_metrics({"step": 4, "d_loss": float("nan")})
    assert len(folder.read_metrics()) == 3
    assert folder.split_log(2) == ([row(1), row(2)], [row(3)])
    assert folder.rewind(2) == [row(1), row(2)]
    assert list(map(json.loads, folder.read_metrics())) == [row(1), row(2)]
    folder.write_attempt(1, [row(3)])
    assert folder.attempt(1) == folder.path / "attempts" / "1.jsonl"
    assert json.loads(folder.attempt(1).read_text()) == row(3)


def test_a_log_is_taken_back_to_where_a_checkpoint_saw_it(folder):
    folder.append_metrics(row(1))
    folder.append_metrics(row(2, d_loss=1.0))
    sizes = folder.sizes_of_logs()
    assert sizes["bytes"] == folder.metrics.stat().st_size
    folder.append_metrics(row(2, event="finished"))
    assert folder.split_log(2, sizes["bytes"])[1] == [row(2, event="finished")]
    assert len(folder.rewind(2, sizes)) == 2
    event = row(2, event="rollback", change={"loss": "hinge"})
    for _ in range(2):  # a crash before the next checkpoint changes nothing
        assert folder.rewind(2, {**sizes, "then": [event]})[2:] == [event]
    assert folder.changes_of_rollbacks() == [{"loss": "hinge"}]
    folder.metrics.write_text(folder.metrics.read_text()[:30])
    assert len(folder.rewind(2, sizes)) == 1  # what the disk lost is not known


def test_what_tensorboard_reads_is_cut_likewise(folder):
    folder.tensorboard.mkdir(parents=True)
    first, second = (folder.tensorboard / f"events.out.tfevents.{k}" for k in "12")
    first.write_bytes(b"12345")
    position = folder.sizes_of_logs()
    assert position == {"bytes": 0, "tensorboard": {first.name: 5}}
    first.write_bytes(b"1234567")
    second.write_bytes(b"1")
    folder.rewind(7, position)
    assert first.read_bytes() == b"12345"
    assert not second.exists()
    folder.rewind(7)
    assert first.exists()


def test_pictures_after_the_checkpoint_are_removed(folder):
    folder.samples.mkdir(parents=True)
    for step in (0, 7, 8):
        folder.picture(step).touch()
    folder.rewind(7)
    assert list(folder.pictures()) == [0, 7]


def test_torn_lines_of_a_crash_are_dropped(folder):
    folder.append_metrics(row(1))
    with folder.metrics.open("a") as file:
        file.write('[1]\n{"step": 2, "sec')
    assert folder.rewind(9) == [row(1)]
    folder.append_metrics(row(2))
    assert len(folder.rewind(9)) == 2


def test_what_a_crash_left_is_removed(folder):
    folder.checkpoints.mkdir(parents=True)
    left = folder.checkpoints / ".step-0000005-0123abcd.keras"
    left.touch()
    folder.remove_leftovers()
    assert not left.exists()


def test_pictures_by_step(folder):
    assert folder.pictures() == {}
    folder.samples.mkdir(parents=True)
    for name in ("step-0000500.png", "step-0000000.png", "step-last.png", "step-1.txt"):
        (folder.samples / name).touch()
    assert folder.pictures() == {0: folder.picture(0), 500: folder.picture(500)}


def test_pages(folder):
    assert folder.read_quality_page() == ""
    folder.write_quality({"best": None}, "# Quality\n")
    assert folder.read_quality_page() == "# Quality\n"
    assert json.loads(folder.quality("json").read_text()) == {"best": None}
    assert folder.report("html") == folder.path / "report.html"


def test_trials(folder):
    assert folder.read_trials() == []
    trial = {"name": "no change", "changes": {"precision": "float32"}, "fid": 1.0}
    folder.write_trials([trial])
    (read,) = folder.read_trials()
    assert read["changes"] == {"dtype_policy": "float32"}  # an older run's name
    assert folder.trial("no change", 3).path == folder.trials / "no-change" / "seed-3"


def spelt_names(path):
    """Strings that a module joins to paths, or looks for in folders."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            parts = [node.right]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            parts = node.args if node.func.attr in ("glob", "joinpath") else []
        else:
            continue
        yield from (ast.unparse(part) for part in parts)


@pytest.mark.e2e
def test_no_other_module_spells_a_name_of_a_run_folder():
    name = re.compile(
        r"config\.json|metrics\.jsonl|tensorboard|checkpoints|best\.|samples'|step-"
        r"|quality|report\.|attempts|trials"
    )
    package = Path(ganlab.__file__).parent
    spelt = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for text in spelt_names(path)
        if name.search(text)
    }
    assert spelt == {"runs/checkpoints.py", "runs/folder.py"}


@pytest.mark.parametrize(
    "changes",
    [
        {"name": 3},
        {"ratio": 1.0},
        {"ratio": {"value": "1", "low": 1, "high": 2}},
        {"score": "good"},
        {"steps": "1000"},
        {"branches": 3},
        {"branches": [3]},
        {"branches": [{"score": 1.0, "findings": [3]}]},
        {"changes": 3},
        {"kept": "yes"},
    ],
)
def test_trials_of_wrong_types_are_one_clear_error(folder, changes):
    trial = {"name": "a", "changes": {}, "verdict": None, "ratio": None, "score": 1.0}
    trial |= {"score_name": "fid", "steps": 10, "branches": [], "kept": False}
    folder.write_trials([trial])
    assert folder.read_trials() == [trial]
    folder.write_trials([trial | changes])
    with pytest.raises(UserError, match=r"trials of remedies in .*try the remedies"):
        folder.read_trials()


@pytest.mark.parametrize("text", ["3", "[3]", '"a"', "[[]]", "[{}]"])
def test_what_holds_no_trials_is_one_clear_error(folder, text):
    folder.write_trials([])
    (folder.trials / "trials.json").write_text(text)
    with pytest.raises(UserError, match="trials of remedies"):
        folder.read_trials()
