"""Loading, refusing and sampling an artifact."""

import json

import numpy as np
import pytest
from onnx import TensorProto, helper

from ganlab import sampling
from ganlab.artifacts.artifact import Artifact
from ganlab.artifacts.card import describe_generator, hash_files, write_card
from ganlab.errors import UserError


@pytest.mark.e2e
@pytest.mark.parametrize(
    "name", ["generator.onnx", "generator.keras", "saved_model/saved_model.pb"]
)
def test_one_changed_byte_is_refused(artifact_copy, name):
    content = bytearray((artifact_copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (artifact_copy / name).write_bytes(content)
    with pytest.raises(UserError, match=f"SHA-256.*{name}"):
        Artifact(artifact_copy)


def test_an_artifact_needs_its_card_and_its_onnx_file_alone(artifact_copy):
    (artifact_copy / "generator.keras").unlink()
    assert Artifact(artifact_copy).sample(1).shape == (1, 16, 16, 3)
    (artifact_copy / "generator.onnx").unlink()
    with pytest.raises(UserError, match=r"generator\.onnx.*export the run again"):
        Artifact(artifact_copy)
    (artifact_copy / "card.json").unlink()
    with pytest.raises(UserError, match=r"card\.json"):
        Artifact(artifact_copy)


def test_a_card_without_hashes_is_refused(artifact_copy):
    card = json.loads((artifact_copy / "card.json").read_text())
    (artifact_copy / "card.json").write_text(json.dumps(card | {"files": {}}))
    with pytest.raises(UserError, match="SHA-256"):
        Artifact(artifact_copy)


def test_an_unknown_format_is_refused(exported):
    with pytest.raises(UserError, match="float32, float16, int8"):
        Artifact(exported[1], "int4")


def test_labels_by_number_and_name(exported):
    artifact = Artifact(exported[1])
    assert artifact.label("B") == artifact.label("1") == artifact.label(1) == 1
    for wrong in ("3", "-1", "dog", ""):
        with pytest.raises(UserError, match="0 a, 1 b, 2 c"):
            artifact.label(wrong)
    with pytest.raises(UserError, match="2 labels from 0 to 2"):
        artifact.sample(2, labels=[0, 3])


def test_wrong_labels_and_latents_are_one_clear_error(exported):
    artifact = Artifact(exported[1])
    latents = np.zeros((2, 8), np.float32)
    for labels in (None, [0, 3], [0, -1], [0], [0.0, 1.0], ["a", "b"]):
        with pytest.raises(UserError, match="2 labels from 0 to 2"):
            artifact.generate(latents, labels)
    for wrong in (latents[:, :7], latents[0], [latents, latents]):
        with pytest.raises(UserError, match=r"latents of shape \(batch, 8\)"):
            artifact.generate(wrong, [0, 1])


@pytest.mark.e2e
def test_series_are_sampled_as_they_are(series):
    gan, directory, _ = series
    artifact = Artifact(directory)
    assert artifact.latent_shapes == [(3, 2)]
    assert artifact.latent_dim == 6
    samples = artifact.sample(5, seed=1, labels=[0, 1, 1, 0, 1])
    assert samples.dtype == np.float32
    expected = gan.sample(5, seed=1, labels=[0, 1, 1, 0, 1])
    np.testing.assert_allclose(samples, expected, rtol=1e-4, atol=1e-4)
    latents = sampling.draw_latents(5, (3, 2), seed=1)
    for given in (latents, latents.reshape(5, 6), [latents]):
        same = artifact.generate(given, [0, 1, 1, 0, 1])
        np.testing.assert_array_equal(same, samples)


def test_series_are_interpolated_over_all_components(series):
    artifact = Artifact(series[1])
    frames = artifact.interpolate(1, 2, num_images=3, num_frames=3)
    assert (frames.shape, frames.dtype) == ((3, 3, 6, 2), np.float32)
    np.testing.assert_allclose(frames[0], artifact.sample(3, 1), atol=1e-3)
    start, end = (sampling.draw_latents(3, 6, seed) for seed in (1, 2))
    middle = artifact.generate(sampling.slerp(start, end, 0.5), [0, 1, 0])
    np.testing.assert_allclose(frames[1], middle, atol=1e-3)


def model_of(inputs, outputs):
    """An ONNX model that passes its first input on."""
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (*inputs, *outputs)
    ]
    count = len(inputs)
    names = [value.name for value in values]
    node = helper.make_node("Identity", names[:1], names[count : count + 1])
    graph = helper.make_graph([node], "g", values[:count], values[count:])
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8)


def card_of(directory, **changes):
    """The card of a generator of four numbers from four."""
    described = describe_generator(
        latent_shapes=[(4,)],
        image_shape=(4,),
        class_names=(),
        parameters=0,
        opset=18,
        training={},
    )
    return described | {"files": hash_files(directory)} | changes


@pytest.mark.parametrize(
    "model",
    [
        b"no model",
        model_of([("latents", [None, 1 << 40])], [("images", [None, 4])]),
        model_of(
            [("latents", [None, 4]), ("other", [None, 4])], [("images", [None, 4])]
        ),
        model_of([("latents", [4])], [("images", [4])]),
        model_of([("latents", [None, "size"])], [("images", [None, 4])]),
        model_of([("latents", [None, 4])], [("pictures", [None, 4])]),
        model_of([("latents", [None, 4]), ("labels", [None])], [("images", [None, 4])]),
    ],
)
def test_a_model_of_something_else_is_one_clear_error(tmp_path, model):
    if not isinstance(model, bytes):
        model = model.SerializeToString()
    (tmp_path / "generator.onnx").write_bytes(model)
    write_card(tmp_path, card_of(tmp_path))
    with pytest.raises(UserError, match=r"generator\.onnx.*export the run again"):
        Artifact(tmp_path)


def test_interpolation_begins_and_ends_at_its_seeds(exported):
    artifact = Artifact(exported[1])
    frames = artifact.interpolate(1, 2, num_images=3, num_frames=4)
    assert frames.shape == (4, 3, 16, 16, 3)
    for frame, seed in ((frames[0], 1), (frames[-1], 2)):
        assert np.abs(frame.astype(int) - artifact.sample(3, seed)).max() <= 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": {"latents": {"shape": [None, 5]}}}, "what its card states"),
        ({"inputs": {"latents": {"shape": [None, 1 << 40]}}}, "262,144 components"),
        ({"inputs": {"latents": {"shape": [None, "4"]}}}, "shapes of the latents"),
        ({"inputs": {}}, "shapes of the latents"),
        ({"inputs": None}, "shapes of the latents"),
        ({"outputs": {"images": {"shape": [None, 5]}}}, r"images of shape \(1, 5\)"),
        ({"outputs": {"images": {"shape": [None, 1 << 40]}}}, "4,194,304 numbers"),
        ({"class_names": ["a"]}, "1 names of 0 classes"),
        (
            {
                "inputs": {
                    "latents": {"shape": [None, 4]},
                    "labels": {"range": [0, 9]},
                }
            },
            "0 names of 10 classes",
        ),
    ],
)
def test_a_card_of_another_model_is_one_clear_error(tmp_path, changes, message):
    model = model_of([("latents", [None, 4])], [("images", [None, None])])
    (tmp_path / "generator.onnx").write_bytes(model.SerializeToString())
    write_card(tmp_path, card_of(tmp_path))
    assert Artifact(tmp_path).sample(70, 1).shape == (70, 4)
    write_card(tmp_path, card_of(tmp_path, **changes))
    with pytest.raises(UserError, match=f"{message}.*export the run again"):
        Artifact(tmp_path)


def test_whose_work_it_shows_is_one_bounded_line(artifact_copy):
    assert Artifact(artifact_copy).attribution == ""
    path = artifact_copy / "card.json"
    contents = json.loads(path.read_text())
    path.write_text(json.dumps(contents | {"attribution": "A\x1b[2J\n" + 900 * "b"}))
    text = Artifact(artifact_copy).attribution
    assert text.isprintable()
    assert text.startswith("A\\u001b[2J")
    assert len(text) == 500
