"""TensorBoard's event files are read without TensorFlow, whatever wrote them."""

import subprocess
import sys

import pytest
import tensorflow as tf
from torch.utils.tensorboard import SummaryWriter

from ganlab.diagnosis.logs import events


@pytest.fixture
def torch_events(tmp_path):
    """A function that writes losses with PyTorch into one more file."""

    def write(steps, folder=tmp_path):
        with SummaryWriter(
            str(folder), filename_suffix=f".{len(list(folder.iterdir()))}"
        ) as writer:
            for step in steps:
                writer.add_scalar("Loss/D", step / 100, step)
                writer.add_scalar("Loss/G", 1.5, step)
        return folder

    return write


def test_scalars_of_pytorch_are_read(torch_events):
    reading = events.read_events(torch_events(range(0, 50, 10)))
    assert reading.series["Loss/D"].steps.tolist() == [0, 10, 20, 30, 40]
    assert reading.series["Loss/D"].values == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert reading.seconds.values[0] == 0
    assert (reading.rows, reading.unread, reading.notes) == (10, 0, [])


def test_scalars_of_keras_are_read_and_pictures_are_not(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path / "train"))
    with writer.as_default():
        tf.summary.scalar("epoch_d_loss", tf.constant(0.25, tf.float64), 3)
        tf.summary.image("fakes", tf.zeros((1, 4, 4, 1)), 3)
        tf.summary.histogram("weights", tf.zeros(4), 3)
    writer.close()
    (series,) = events.read_events(tmp_path).series.items()
    assert series[0] == "epoch_d_loss"
    assert (series[1].steps.tolist(), series[1].values.tolist()) == ([3], [0.25])


def test_a_file_may_break_off_and_hold_nonsense(torch_events):
    folder = torch_events(range(0, 50, 10))
    (path,) = folder.iterdir()
    content = path.read_bytes()
    path.write_bytes(content[:-9])
    assert len(events.read_events(folder).series["Loss/G"]) == 4
    path.write_bytes(b"\xff" * 100)
    assert events.read_events(path).series == {}


def test_a_file_that_starts_anew_is_counted_on(torch_events):
    torch_events(range(0, 50, 10))
    reading = events.read_events(torch_events(range(0, 30, 10)))
    assert reading.series["Loss/D"].steps.tolist() == list(range(0, 80, 10))
    assert "counted on" in reading.notes[0]


def test_a_file_that_goes_on_replaces_what_it_repeats(torch_events):
    torch_events(range(0, 50, 10))
    reading = events.read_events(torch_events(range(40, 70, 10)))
    assert reading.series["Loss/D"].steps.tolist() == list(range(0, 70, 10))
    assert reading.notes == []


def test_folders_stand_in_front_of_tags(torch_events, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        torch_events([1], tmp_path / name)
    assert set(events.read_events(tmp_path).series) == {
        *("a/Loss/D", "a/Loss/G", "b/Loss/D", "b/Loss/G")
    }


@pytest.mark.e2e
def test_no_tensorflow_is_imported(torch_events):
    program = (
        "import sys; from ganlab import diagnosis; diagnosis.read(sys.argv[1]); "
        "assert 'tensorflow' not in sys.modules"
    )
    folder = torch_events(range(5))
    subprocess.run([sys.executable, "-c", program, str(folder)], check=True)
