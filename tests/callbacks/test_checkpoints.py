"""The newest checkpoints are kept whole."""

import keras
import numpy as np
import pytest

from ganlab.callbacks import Checkpoints
from ganlab.runs import RunFolder


@pytest.mark.e2e
def test_checkpoints_keep_the_newest(make_gan, fit, tmp_path):
    gan = make_gan(3)
    fit(gan, [Checkpoints(tmp_path, every=2, keep=2)])
    assert sorted(file.name for file in (tmp_path / "checkpoints").iterdir()) == [
        "step-0000008.keras",
        "step-0000010.keras",
    ]
    restored = keras.saving.load_model(RunFolder(tmp_path).find_checkpoint())
    np.testing.assert_array_equal(restored.sample(4), gan.sample(4))


@pytest.mark.e2e
def test_an_interrupted_save_leaves_the_last_checkpoint(
    make_gan, tmp_path, monkeypatch
):
    gan = make_gan()
    callback = Checkpoints(tmp_path)
    callback.set_model(gan)
    callback.run(1)
    monkeypatch.setattr(gan, "save", lambda path: path.write_bytes(b"half") and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        callback.run(2)
    (path,) = (tmp_path / "checkpoints").iterdir()
    assert path.name == "step-0000001.keras"
    keras.saving.load_model(path)


@pytest.mark.e2e
@pytest.mark.parametrize("raises", [False, True], ids=["stopped", "signalled"])
def test_a_checkpoint_of_an_interruption_goes_with_the_next(
    make_gan, fit, tmp_path, raises
):
    def names(path):
        return sorted(file.name for file in (path / "checkpoints").iterdir())

    class EndAt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            ends = int(self.model.step.numpy()) in (3, 4)
            if ends and raises:
                raise KeyboardInterrupt
            self.model.stop_training = ends

    whole, ended = tmp_path / "whole", tmp_path / "ended"
    fit(make_gan(3), [Checkpoints(whole, every=2, keep=2)], epochs=2)
    gan = make_gan(3)
    seen = []
    for _ in range(3):
        checkpoints = Checkpoints(ended, every=2, keep=2)
        try:
            fit(gan, [checkpoints, EndAt()], epochs=1)
        except KeyboardInterrupt:
            checkpoints.run_at_end()
        seen.append(names(ended))
    assert seen[0] == ["step-0000002.keras", "step-0000003.keras"]
    assert seen[1] == ["step-0000002.keras", "step-0000004.keras"]
    assert seen[2] == ["step-0000008.keras", "step-0000009.keras"]
    fit(gan, [Checkpoints(ended, every=2, keep=2)], epochs=1)
    assert names(whole) == ["step-0000008.keras", "step-0000010.keras"]
    assert "step-0000009.keras" not in names(ended)
