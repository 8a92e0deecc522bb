"""The parity certificate."""

import logging

import numpy as np
import pytest
import tensorflow as tf

from ganlab.artifacts import parity
from ganlab.artifacts.artifact import Artifact
from ganlab.artifacts.card import FORMATS
from ganlab.artifacts.export import write_onnx
from ganlab.errors import UserError
from ganlab.networks.precision import in_float32

LABELS = tf.TensorSpec((None,), tf.int32, name="labels")


def test_the_certificate_is_on_the_card(exported):
    _, _, card = exported
    certificate = card["parity"]
    assert certificate["batches"] == [1, 2, 7, 64]
    assert len(certificate["seeds"]) >= 3
    assert max(certificate["max_difference"].values()) < 1e-5
    assert 0 < certificate["training_inference_difference"] < 2


def test_another_generator_fails_with_the_place(exported):
    gan, directory, _ = exported
    other = in_float32(gan.generator)
    other.set_weights(gan.ema_generator.values())
    other.weights[-1].assign_add([0.1] * 3)  # the last layer's bias
    with pytest.raises(
        parity.ParityError,
        match=r"saved_model.*batch 1, seed 0, at image, row.*\(0, ",
    ):
        parity.certify(
            lambda *inputs: {"images": other(list(inputs))},
            [tf.TensorSpec((None, 8), name="latents"), LABELS],
            directory,
            num_classes=3,
        )


def test_the_difference_of_training_and_inference_by_hand(exported):
    gan, _, _ = exported
    latents = np.random.default_rng(0).standard_normal((6, 8), np.float32)
    arguments = [latents, np.arange(6) % 3]
    before = [weight.numpy() for weight in gan.generator.weights]
    training = in_float32(gan.generator)(arguments, training=True).numpy()
    inference = gan.generator(arguments, training=False).numpy()
    difference = parity.training_inference_difference(gan.generator, arguments)
    assert difference == pytest.approx(np.abs(training - inference).mean(), rel=1e-5)
    for weight, value in zip(gan.generator.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


def test_fewer_bits_give_nearly_the_same_images_and_the_card_says_how_near(exported):
    _, directory, card = exported
    formats = card["formats"]
    assert list(formats) == ["float32", "float16", "int8"]
    expected = Artifact(directory).sample(64, seed=3).astype(int)
    for name, limit in (("float16", 0.005), ("int8", 0.05)):
        assert 0 < formats[name]["mean_difference"] <= limit
        assert formats[name]["mean_difference"] < formats[name]["max_difference"]
        path = directory / FORMATS[name]
        assert formats[name]["bytes"] == path.stat().st_size
        images = Artifact(directory, name).sample(64, seed=3)
        assert np.abs(images - expected).mean() <= limit * 127.5 + 0.5


def test_a_worthless_format_is_left_out(artifact_copy, monkeypatch, caplog):
    monkeypatch.setitem(parity.MEAN_TOLERANCES, "int8", 0.0)
    with caplog.at_level(logging.WARNING):
        formats = parity.certify_formats(artifact_copy, None)
    assert set(formats) == {"float32", "float16"}
    assert "generator.int8.onnx is left out" in caplog.text
    with pytest.raises(UserError, match=r"generator\.int8\.onnx"):
        Artifact(artifact_copy, "int8")


def test_each_format_is_scored_by_the_given_function(artifact_copy):
    def score(artifact):
        return {"mean": float(artifact.sample(8).mean())}

    formats = parity.certify_formats(artifact_copy, score)
    for name, certificate in formats.items():
        expected = Artifact(artifact_copy, name).sample(8).mean()
        assert certificate["mean"] == pytest.approx(expected)


def test_a_cpu_that_draws_other_images_changes_no_certificate(
    artifact_copy, exported, monkeypatch, caplog
):
    draw = parity.draw_images

    def saturating(path, num_classes, *, optimized):
        images = draw(path, num_classes, optimized=optimized)
        return -images if optimized and "int8" in path.name else images

    monkeypatch.setattr(parity, "draw_images", saturating)
    with caplog.at_level(logging.WARNING):
        formats = parity.certify_formats(artifact_copy, None)
    assert formats == exported[2]["formats"]
    (record,) = caplog.records
    assert "on this CPU to draw the images of generator.int8.onnx" in record.message


def test_formats_state_their_opset_and_who_cannot_read_them(exported):
    _, _, card = exported
    formats = card["formats"]
    opsets = {name: facts["opset"] for name, facts in formats.items()}
    assert opsets == {"float32": 18, "float16": 18, "int8": 21}
    assert "onnx2torch" in formats["int8"]["note"]
    assert "note" not in formats["float32"]


def test_a_format_that_was_not_written_is_not_on_the_card(artifact_copy):
    (artifact_copy / FORMATS["float16"]).unlink()
    assert list(parity.certify_formats(artifact_copy, None)) == ["float32", "int8"]


def test_values_beyond_1_are_compared_by_the_largest(tmp_path):
    weights = np.random.default_rng(0).standard_normal((8, 6), np.float32)

    def moved(distance):
        return lambda latents: {"images": latents @ (1e5 * weights) + distance}

    signature = [tf.TensorSpec((None, 8), name="latents")]
    serving = tf.function(moved(0.0), input_signature=signature)
    tf.saved_model.save(tf.Module(), tmp_path / "saved_model", serving)
    write_onnx(moved(0.0), signature, tmp_path)
    certificate = parity.certify(moved(1.0), signature, tmp_path)  # 1 of 400,000 or so
    assert 1e-6 < certificate["max_difference"]["onnx"] < 1e-4
    with pytest.raises(parity.ParityError, match="saved_model.*seed 0.*image"):
        parity.certify(moved(200.0), signature, tmp_path)
