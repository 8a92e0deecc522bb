"""Checkpoints are written whole, and one that is damaged is never read."""

import zipfile

import pytest

from ganlab.errors import UserError
from ganlab.runs import RunFolder


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


def save(content):
    """A function that saves a zip file, as a model's own would."""

    def to(path):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("content", content)

    return to


def read(path):
    with zipfile.ZipFile(path) as archive:
        return archive.read("content").decode()


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-40])


def zero(path):
    path.write_bytes(bytes(path.stat().st_size))


def empty(path):
    path.write_bytes(b"")


def become_a_folder(path):
    path.unlink()
    (path / "inside").mkdir(parents=True)


DAMAGES = (flip, truncate, zero, empty, become_a_folder)


def test_checkpoints_by_step(folder):
    with pytest.raises(UserError, match="before its first; go on with --resume"):
        folder.find_checkpoint()
    for step in (500, 12_000_000, 1000):
        path = folder.save_checkpoint(save(str(step)), step)
        assert path == folder.path / "checkpoints" / f"step-{step:07d}.keras"
    (folder.checkpoints / "step-backup.keras").touch()
    assert list(folder.checkpoints_by_step()) == [500, 1000, 12_000_000]
    assert read(folder.find_checkpoint()) == "12000000"
    folder.remove_checkpoints(keep=5)
    assert len(folder.checkpoints_by_step()) == 3
    folder.remove_checkpoints(keep=2)
    assert list(folder.checkpoints_by_step()) == [1000, 12_000_000]
    folder.remove_checkpoints_after(1000)
    assert list(folder.checkpoints_by_step()) == [1000]


def test_the_best_checkpoint_holds_its_record(folder):
    assert folder.read_best() is None
    with pytest.raises(UserError, match="no step was scored; take the newest"):
        folder.find_checkpoint("best")
    record = {"step": 700, "protocol": {}, "scores": {}, "details": {}}
    folder.save_best(save("best"), record)
    assert folder.read_best() == record
    assert read(folder.find_checkpoint("best")) == "best"
    assert folder.best_picture == folder.path / "checkpoints" / "best.png"
    assert folder.relative(folder.best_picture) == "checkpoints/best.png"
    folder.remove_checkpoints()
    assert [path.name for path in folder.checkpoints.iterdir()] == ["best.keras"]


def test_the_best_of_an_older_run_has_its_record_beside_it(folder):
    folder.checkpoints.mkdir(parents=True)
    save("best")(folder.best_checkpoint)
    record = folder.best_checkpoint.with_suffix(".json")
    record.write_text('{"step": 7, "scores": {"frechet_distance": 1}}')
    assert folder.read_best() == {"step": 7, "scores": {"fid": 1}}
    record.write_text('{"step": 7, "sco')
    assert folder.read_best() is None
    assert (folder.checkpoints / "best.json.damaged").exists()


def test_the_last_checkpoint_before_a_step(folder):
    assert folder.last_checkpoint_before(100) is None
    folder.save_checkpoint(save("500"), 500)
    folder.save_checkpoint(save("1000"), 1000)
    folder.save_best(save("700"), {"step": 700, "scores": {}})
    assert folder.last_checkpoint_before(500) is None
    assert folder.last_checkpoint_before(501) == (500, folder.checkpoint(500))
    assert folder.last_checkpoint_before(1000) == (700, folder.best_checkpoint)
    flip(folder.best_checkpoint)
    assert folder.last_checkpoint_before(1000) == (500, folder.checkpoint(500))
    folder.remove_all_checkpoints()
    assert folder.last_checkpoint_before(2000) is None


def test_a_save_that_fails_leaves_nothing(folder):
    with pytest.raises(ZeroDivisionError):
        folder.save_checkpoint(lambda path: path.write_text("half") and 1 / 0, 3)
    assert list(folder.checkpoints.iterdir()) == []


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_newest_checkpoint_is_set_aside(folder, damage, caplog):
    for step in (1, 2):
        folder.save_checkpoint(save(str(step)), step)
    damage(folder.checkpoint(2))
    assert folder.find_checkpoint() == folder.checkpoint(1)
    assert f"{folder.checkpoint(2)} is damaged" in caplog.text
    assert "set aside as step-0000002.keras.damaged" in caplog.text
    assert folder.find_checkpoint() == folder.checkpoint(1)
    assert caplog.text.count("damaged (") == 1


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_best_checkpoint_is_no_best(folder, damage, caplog):
    folder.save_best(save("best"), {"step": 3, "scores": {}})
    damage(folder.best_checkpoint)
    assert folder.read_best() is None
    assert "set aside as best.keras.damaged" in caplog.text
    assert folder.newest_checkpoint() is None


def test_the_best_is_gone_on_from_where_no_other_is_whole(folder):
    folder.save_best(save("best"), {"step": 3, "scores": {}})
    folder.save_checkpoint(save("7"), 7)
    zero(folder.checkpoint(7))
    assert folder.newest_checkpoint() == folder.best_checkpoint


def test_a_folder_that_cannot_be_written_is_read(folder, monkeypatch, caplog):
    for step in (1, 2):
        folder.save_checkpoint(save(str(step)), step)
    flip(folder.checkpoint(2))

    def refuse(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    assert folder.find_checkpoint() == folder.checkpoint(1)
    assert "left out" in caplog.text
