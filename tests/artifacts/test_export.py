"""Does an exported generator draw the same images, and is a changed one refused?"""

import json

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf

from ganlab import GAN, networks
from ganlab.artifacts import export
from ganlab.artifacts.artifact import FILES, Artifact
from ganlab.errors import UserError

NAMES = ("a", "b", "c")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A conditional GAN, trained for some steps, and its artifact."""
    gan = GAN(
        networks.dcgan_generator(16, 3, latent_dim=8, num_classes=3, base_filters=4),
        networks.dcgan_discriminator(16, 3, num_classes=3, base_filters=4),
        num_classes=3,
    )
    gan.compile("adam", "adam")
    pixels = np.random.default_rng(0).uniform(-1, 1, (64, 16, 16, 3)).astype("float32")
    gan.fit(pixels, np.arange(64) % 3, batch_size=8, verbose=0)
    directory = tmp_path_factory.mktemp("export") / "artifact"
    card = export.export_generator(
        gan, directory, class_names=NAMES, training={"data": "noise"}
    )
    return gan, directory, card


def test_artifact_folder_holds_what_the_design_names(exported):
    _, directory, card = exported
    names = {path.name for path in directory.iterdir()}
    assert names == {
        "saved_model",
        "generator.onnx",
        "generator.float16.onnx",
        "generator.int8.onnx",
        "generator.keras",
        "card.json",
        "samples.png",
    }
    assert card == json.loads((directory / "card.json").read_text())
    assert {"generator.onnx", "samples.png", "saved_model/saved_model.pb"} <= set(
        card["files"]
    )
    assert card["inputs"]["latents"]["shape"] == [None, 8]
    assert card["outputs"]["images"]["shape"] == [None, 16, 16, 3]
    assert card["class_names"] == list(NAMES)
    assert card["training"] == {"data": "noise"}
    assert list(directory.parent.iterdir()) == [directory]


def test_parity_certificate(exported):
    _, _, card = exported
    parity = card["parity"]
    assert parity["batches"] == [1, 2, 7, 64]
    assert len(parity["seeds"]) >= 3
    assert max(parity["max_difference"].values()) < 1e-5
    assert 0 < parity["batch_norm_gap"] < 2


def test_onnx_file_is_named_dynamic_and_current(exported):
    _, directory, _ = exported
    model = onnx.load(directory / "generator.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert next(o.version for o in model.opset_import if o.domain == "") == 18
    session = onnxruntime.InferenceSession(directory / "generator.onnx")
    assert [value.name for value in session.get_inputs()] == ["latents", "labels"]
    assert [value.name for value in session.get_outputs()] == ["images"]
    for batch in (1, 5):
        feeds = {
            "latents": np.zeros((batch, 8), np.float32),
            "labels": np.zeros(batch, np.int32),
        }
        assert session.run(["images"], feeds)[0].shape == (batch, 16, 16, 3)


def test_fewer_bits_draw_nearly_the_same_images_and_the_card_says_how_near(exported):
    _, directory, card = exported
    about = card["formats"]
    assert list(about) == ["float32", "float16", "int8"]
    expected = Artifact(directory).sample(64, seed=3).astype(int)
    for precision, limit in (("float16", 0.005), ("int8", 0.05)):
        found = about[precision]
        assert 0 < found["mean_difference"] <= limit
        assert found["mean_difference"] < found["max_difference"]
        path = directory / FILES[precision]
        assert found["bytes"] == path.stat().st_size
        drawn = Artifact(directory, precision).sample(64, seed=3)
        assert np.abs(drawn - expected).mean() <= limit * 127.5 + 0.5
    with pytest.raises(UserError, match="float32"):
        Artifact(directory, "int4")


def test_int8_computes_in_8_bits_but_for_the_layer_that_draws_the_image(exported):
    _, directory, _ = exported
    graph = onnx.load(directory / "generator.int8.onnx").graph
    made = {name: node.op_type for node in graph.node for name in node.output}
    layers = [node for node in graph.node if node.op_type in ("Conv", "Gemm")]
    widths = [made.get(node.input[1]) == "DequantizeLinear" for node in layers]
    assert widths.count(False) == 1
    assert not widths[-1]


def test_a_precision_that_is_worthless_is_left_out(
    make_gan, tmp_path, monkeypatch, caplog
):
    monkeypatch.setitem(export.MEAN_TOLERANCES, "int8", 0.0)
    card = export.export_generator(make_gan(), tmp_path / "a")
    assert set(card["formats"]) == {"float32", "float16"}
    assert "generator.int8.onnx" not in card["files"]
    assert "generator.int8.onnx is left out" in caplog.text
    with pytest.raises(UserError, match=r"generator\.int8\.onnx"):
        Artifact(tmp_path / "a", "int8")


def test_the_card_states_each_precisions_distance_as_evaluate_takes_it(tmp_path):
    from ganlab import evaluation, load_data

    reference = evaluation.load_reference(load_data("fashion_mnist"), num_images=500)
    gan = GAN(
        networks.dcgan_generator(base_filters=4),
        networks.dcgan_discriminator(base_filters=4),
    )
    card = export.export_generator(gan, tmp_path / "a", reference=reference)
    images = Artifact(tmp_path / "a", "int8").sample(500)
    scores = evaluation.evaluate(reference, images).scores
    about = card["formats"]["int8"]
    expected = scores["fid"].value
    assert about["fid"]["value"] == pytest.approx(expected)
    assert about["fingerprint"] == reference.protocol.fingerprint


def test_every_format_draws_the_averaged_generators_images(exported):
    gan, directory, _ = exported
    artifact = Artifact(directory)
    expected = gan.sample(9, seed=7)
    drawn = artifact.sample(9, seed=7)
    assert np.abs(drawn.astype(int) - expected).max() <= 1  # rounding to uint8
    latents = np.random.default_rng(7).standard_normal((9, 8), np.float32)
    loaded = keras.saving.load_model(directory / "generator.keras")
    images = loaded.predict([latents, np.arange(9) % 3], verbose=0)
    np.testing.assert_allclose(
        images, artifact.generate(latents, np.arange(9) % 3), atol=1e-5
    )
    assert all(layer.trainable for layer in loaded.layers)


def test_saved_model_signatures(exported):
    _, directory, _ = exported
    served = tf.saved_model.load(directory / "saved_model").signatures
    assert set(served) == {"serving_default", "sample"}
    drawn = served["sample"](seed=tf.constant(3), count=tf.constant(5))
    assert drawn["images"].shape == (5, 16, 16, 3)
    assert drawn["images"].dtype == tf.uint8
    assert set(drawn["labels"].numpy()) <= {0, 1, 2}
    again = served["sample"](seed=tf.constant(3), count=tf.constant(5))
    np.testing.assert_array_equal(drawn["images"], again["images"])
    other = served["sample"](seed=tf.constant(4), count=tf.constant(5))
    assert not np.array_equal(drawn["images"], other["images"])


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_a_mixed_precision_generator_leaves_in_float32(make_gan, tmp_path, policy):
    keras.config.set_dtype_policy(policy)
    gan = make_gan()
    card = export.export_generator(gan, tmp_path / "a")
    assert max(card["parity"]["max_difference"].values()) < 1e-5
    assert keras.config.dtype_policy().name == policy
    keras.config.set_dtype_policy("float32")
    loaded = keras.saving.load_model(tmp_path / "a" / "generator.keras")
    assert {layer.compute_dtype for layer in loaded.layers} == {"float32"}


@pytest.mark.parametrize(
    "players",
    [
        {"upsampling": "nearest", "kernel_size": 3},
        {"upsampling": "bilinear", "normalization": "layer"},
        {"padding": "valid", "activation": "tanh", "output_activation": "sigmoid"},
        {"normalization": "none", "activation": "leaky_relu", "kernel_size": 5},
    ],
)
def test_every_kind_of_generator_exports(make_gan, tmp_path, players):
    card = export.export_generator(make_gan(players=players), tmp_path / "a")
    assert max(card["parity"]["max_difference"].values()) < 1e-4


@pytest.mark.parametrize(
    "generator",
    [
        lambda: networks.resnet_generator(16, num_classes=3, base_filters=8),
        lambda: networks.resnet_generator(16, base_filters=8, attention=True),
        lambda: networks.r3gan_generator(16, num_classes=3, base_filters=16),
        lambda: networks.dcgan_generator(
            16, num_classes=3, base_filters=4, conditioning="batch_norm"
        ),
    ],
)
def test_residual_and_conditional_generators_export(generator, tmp_path):
    player = generator()
    num_classes = 3 if len(player.inputs) == 2 else None
    judge = networks.dcgan_discriminator(16, num_classes=num_classes, base_filters=2)
    gan = GAN(player, judge, num_classes=num_classes)
    draws = np.random.default_rng(0)
    for weight in gan.ema_generator.weights:
        noise = 0.05 * draws.standard_normal(weight.shape)
        noise = np.abs(noise) if "variance" in weight.path else noise
        weight.assign(weight + noise.astype("float32"))
    names = NAMES if num_classes else ()
    card = export.export_generator(gan, tmp_path / "a", class_names=names)
    assert max(card["parity"]["max_difference"].values()) < 1e-4
    drawn = Artifact(tmp_path / "a").sample(6, seed=1).astype(int)
    assert np.abs(drawn - gan.sample(6, seed=1)).max() <= 1
    assert drawn.std() > 1.0


def test_a_format_that_differs_fails_the_export_and_leaves_nothing(
    make_gan, tmp_path, monkeypatch
):
    genuine = export._write_onnx

    def write_another(generator, *rest):
        other = export.in_float32(generator)
        other.weights[-1].assign_add([0.1])  # the last layer's bias
        genuine(other, *rest)

    monkeypatch.setattr(export, "_write_onnx", write_another)
    with pytest.raises(
        export.ParityError, match=r"onnx.*batch 1, seed 0, at image, row.*\(0, "
    ):
        export.export_generator(make_gan(), tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_export_refuses_a_folder_in_use_and_missing_names(make_gan, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UserError, match="new or empty folder"):
        export.export_generator(make_gan(), tmp_path)
    with pytest.raises(UserError, match="3 class names"):
        export.export_generator(make_gan(3), tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.fixture
def copy(exported, tmp_path):
    """A copy of the artifact to spoil."""
    import shutil

    shutil.copytree(exported[1], tmp_path / "artifact")
    return tmp_path / "artifact"


@pytest.mark.parametrize(
    "name", ["generator.onnx", "generator.keras", "saved_model/saved_model.pb"]
)
def test_one_changed_byte_is_refused(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(UserError, match=f"SHA-256.*{name}"):
        Artifact(copy)


def test_an_artifact_needs_its_card_and_its_onnx_file_alone(copy):
    (copy / "generator.keras").unlink()
    assert Artifact(copy).sample(1).shape == (1, 16, 16, 3)
    (copy / "generator.onnx").unlink()
    with pytest.raises(UserError, match=r"generator\.onnx.*export the run again"):
        Artifact(copy)
    (copy / "card.json").unlink()
    with pytest.raises(UserError, match=r"card\.json"):
        Artifact(copy)


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        "{}",
        '{"class_names": 3, "files": {}}',
        '{"class_names": [], "files": []}',
        '{"class_names": [], "files": {}}',
    ],
)
def test_a_wrong_card_is_one_clear_error(copy, text):
    (copy / "card.json").write_text(text)
    with pytest.raises(UserError):
        Artifact(copy)


def test_labels_by_number_and_name(exported):
    artifact = Artifact(exported[1])
    assert artifact.label("B") == artifact.label("1") == artifact.label(1) == 1
    for wrong in ("3", "-1", "dog", ""):
        with pytest.raises(UserError, match="0 a, 1 b, 2 c"):
            artifact.label(wrong)
    with pytest.raises(UserError, match="2 labels from 0 to 2"):
        artifact.sample(2, labels=[0, 3])


def test_interpolation_begins_and_ends_at_its_seeds(exported):
    artifact = Artifact(exported[1])
    frames = artifact.interpolate(1, 2, num_images=3, num_frames=4)
    assert frames.shape == (4, 3, 16, 16, 3)
    for frame, seed in ((frames[0], 1), (frames[-1], 2)):
        assert np.abs(frame.astype(int) - artifact.sample(3, seed)).max() <= 1
