"""The model card: front matter, usage that runs, licences."""

import json
import re

import pytest

from ganlab.artifacts import card, model_card
from ganlab.errors import UserError


def contents_of(shape=(8, 6, 3), license=None, **changes):
    described = card.describe_generator(
        latent_shapes=[(4,), (2, 2)],
        image_shape=shape,
        output_range=(0.0, 1.0),
        class_names=changes.pop("class_names", ()),
        parameters=1234,
        opset=18,
        training=changes.pop("training", {}),
        license=license,
    )
    facts = {"bytes": 5000, "max_difference": 0.0, "mean_difference": 0.0}
    return {
        **described,
        "keras": "loads with Keras alone",
        "parity": {"tolerance": 1e-4, "max_difference": {"onnx": 2e-6}},
        "formats": {"float32": facts},
        **changes,
    }


def front_matter(text):
    """The keys of the YAML block, whose values are JSON."""
    block = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)[1]
    return {
        key: json.loads(value)
        for key, value in (line.split(": ", 1) for line in block.splitlines())
    }


def test_front_matter_of_a_known_data_set():
    text = model_card.model_card(
        contents_of(
            class_names=("a", "b"),
            license="Apache-2.0",
            training={"data": "fashion_mnist", "step": 2000},
        ),
        "shirts",
    )
    assert front_matter(text) == {
        "library_name": "onnx",
        "license": "apache-2.0",
        "pipeline_tag": "unconditional-image-generation",
        "tags": ["gan", "ganlab", "onnx", "keras", "class-conditional"],
        "datasets": ["fashion_mnist"],
    }
    assert "# shirts" in text
    assert "colour images of 8 x 6 pixels in 2 classes, 1,234 weights" in text
    assert "Trained on `fashion_mnist` for 2,000 steps." in text
    assert "Weights: `Apache-2.0`. Training data: `mit`." in text
    assert "| float32 | 5,000 |" in text


def test_front_matter_where_little_is_known():
    text = model_card.model_card(
        contents_of((64, 2), license="My own: ask me", training={"data": "folder:x"}),
        "series",
    )
    values = front_matter(text)
    assert (values["license"], values["license_name"]) == ("other", "My own: ask me")
    assert not {"pipeline_tag", "datasets"} & set(values)
    assert "samples of shape 64 x 2" in text
    assert "samples.npy" in text
    assert "Training data: not stated." in text


def test_text_of_files_cannot_leave_its_line():
    names = ("a`\n# forged", "b\x1b[2J")
    text = model_card.model_card(contents_of(class_names=names), "x")
    assert "\n# forged" not in text
    assert "\x1b" not in text
    assert "0 `a' # forged`" in text


def test_both_usages_are_python():
    text = model_card.model_card(contents_of(class_names=("a", "b")), "x")
    snippets = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for snippet in snippets:
        compile(snippet, "README.md", "exec")
    assert '"latents_1": random.standard_normal((16, 2, 2), "float32")' in snippets[1]
    assert "float32 in [0, 1]" in snippets[1]


@pytest.mark.parametrize("license", ["", " ", "two\nlines", "x" * 101])
def test_a_licence_is_one_short_line(license):
    with pytest.raises(UserError, match="licence of one line"):
        model_card.check_license(license)


def test_no_licence_is_right():
    model_card.check_license(None)
    model_card.check_license("CC BY-NC 4.0")


def test_the_note_of_a_format_stands_below_the_table():
    contents = contents_of()
    facts = contents["formats"]["float32"]
    contents["formats"]["int8"] = facts | {"note": "for some runtimes"}
    text = model_card.model_card(contents, "name")
    assert "0.0e+00 |\n\nint8: for some runtimes.\n" in text
    assert "\nfloat32:" not in text


def test_whose_work_was_trained_on_stands_below_the_samples():
    training = {"data": "emoji:twitter:/data/emoji"}
    contents = contents_of(training=training, attribution="Twemoji `x`, CC-BY 4.0")
    text = model_card.model_card(contents, "emoji")
    assert (
        "![Samples](samples.png)\n\nSamples of a generator that was trained on: "
        "`Twemoji 'x', CC-BY 4.0`." in text
    )
    assert "Training data: `cc-by-4.0`." in text
    assert front_matter(text)["datasets"] == ["emoji-twitter"]
    plain = model_card.model_card(contents_of(), "plain")
    assert "trained on:" not in plain


@pytest.mark.parametrize("license", [None, "Apache-2.0", "My own, version 2"])
def test_hugging_face_reads_the_front_matter(license):
    huggingface_hub = pytest.importorskip("huggingface_hub")
    training = {"data": "emoji:google", "step": 5}
    contents = contents_of(license=license, training=training)
    text = model_card.model_card(contents, "emoji")
    data = huggingface_hub.ModelCard(text).data
    assert data.to_dict() == front_matter(text)
    assert data.library_name == "onnx"
    assert data.datasets == ["emoji-google"]
    assert (data.license == "other") == (data.get("license_name") is not None)
