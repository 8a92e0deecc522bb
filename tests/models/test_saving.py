"""A checkpoint becomes the GAN that it was saved from."""

import subprocess
import sys

import numpy as np
import pytest

from ganlab.errors import UserError
from ganlab.models.saving import load_gan
from ganlab.objectives.schedules import ScheduledAdam


@pytest.mark.e2e
def test_a_checkpoint_is_loaded_compiled(make_gan, images, tmp_path):
    gan = make_gan()
    gan.train_on_batch(images[0])
    gan.save(tmp_path / "step-0000001.keras")
    loaded = load_gan(tmp_path / "step-0000001.keras")
    assert loaded.step == 1
    assert loaded.generator_optimizer.iterations == 1
    np.testing.assert_array_equal(loaded.sample(4), gan.sample(4))


@pytest.mark.e2e
def test_a_checkpoint_of_training_is_loaded_in_a_new_process(make_gan, tmp_path):
    gan = make_gan()
    gan.compile(ScheduledAdam(1e-3), ScheduledAdam(1e-3))
    path = tmp_path / "step-0000000.keras"
    gan.save(path)
    program = (
        "import sys; from ganlab.models.saving import load_gan; "
        "print(type(load_gan(sys.argv[1]).generator_optimizer).__name__)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program, path],
        check=True,
        capture_output=True,
        text=True,
    )
    assert printed.stdout == "ScheduledAdam\n"


def test_a_damaged_file_is_one_line(tmp_path):
    path = tmp_path / "gan.keras"
    for content in (b"", b"PK\x03\x04" + bytes(90)):
        path.write_bytes(content)
        with pytest.raises(UserError, match="Expected a whole .keras file.*another"):
            load_gan(path)
    with pytest.raises(UserError, match="No such file or directory"):
        load_gan(tmp_path / "missing.keras")
