"""A watched GAN's settings are written as the diagnosis reads them."""

from ganlab import Monitoring, diagnosis
from ganlab.callbacks.watched_data import read_data
from ganlab.callbacks.watched_run import save_run, settings_of
from ganlab.runs import RunFolder


def test_settings_are_read_from_the_gan_and_its_data(make_gan, noise, tmp_path):
    gan = make_gan(3, loss="hinge", discriminator_steps=2)
    gan.discriminator_optimizer.learning_rate = 0.25
    data = read_data(noise, gan.image_shape)
    settings = settings_of(gan, None, data)
    assert settings == {
        "dtype_policy": "float32",
        "data": "noise",
        "data_kind": "images",
        "loss": "hinge",
        "discriminator_steps": 2,
        "discriminator_learning_rate": 0.25,
        "generator_learning_rate": float(gan.generator_optimizer.learning_rate),
    }
    folder = RunFolder(tmp_path)
    save_run(folder, gan, Monitoring(), settings, data)
    config = folder.read_config()
    assert config["class_names"] == ["a", "b", "c"]
    folder.append_metrics({"step": 1, "seconds": 0.0, "d_loss": 1.0})
    assert diagnosis.read(tmp_path).settings["loss"] == "hinge"
