"""A card is told in words, and a damaged or hostile one as far as it can be."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from ganlab.artifacts.artifact import Artifact
from ganlab.serving.card import describe_card

FASHION = Path(__file__).parents[2] / "saved_models" / "fashion"


@pytest.fixture(scope="module")
def sections():
    described = describe_card(Artifact(FASHION))["sections"]
    return {section["title"]: section for section in described}


def test_the_shipped_card_in_words(sections):
    generator = dict(sections["Generator"]["rows"])
    assert generator["Samples"] == "28 x 28 x 1, images"
    assert generator["Weights"] == "265,829"
    assert generator["Classes"].endswith("Sneaker, Bag, Ankle boot")
    assert generator["File"].startswith("float32, SHA-256 fa63bd0481cd")
    scores = dict(sections["Scores"]["rows"])
    assert scores["FID[fashion_mnist]"] == "0.381 [0.332, 0.427]"
    assert scores["KID[fashion_mnist] x 1000"] == "2.44 [1.86, 3.47]"
    assert "images 10,000" in sections["Scores"]["note"]
    certificate = dict(sections["Certificate"]["rows"])
    assert certificate["onnx"] == "3.1e-06"
    assert certificate["int8"] == (
        "340,261 bytes, difference 0.558, FID[fashion_mnist] 0.392 [0.343, 0.440]"
    )
    licence = dict(sections["Licence"]["rows"])
    assert licence == {"Weights": "apache-2.0", "Training data": "mit"}


def described(attribution="", **card):
    artifact = SimpleNamespace(
        card=card,
        image_shape=(8, 8, 3),
        kind=SimpleNamespace(name="images"),
        latent_dim=4,
        class_names=("a\x1b[2J",),
        format="float32",
        sha256="00",
        attribution=attribution,
    )
    sections = describe_card(artifact)["sections"]
    return {section["title"]: dict(section["rows"]) for section in sections}


def test_what_is_not_stated_is_left_out():
    sections = described(attribution="Made by people")
    assert list(sections) == ["Generator", "Licence"]
    assert sections["Licence"] == {
        "Weights": "not stated",
        "Training data": "not stated",
        "Attribution": "Made by people",
    }


@pytest.mark.parametrize("value", [None, 7, "text", [1], {"fid": [1]}, True], ids=repr)
def test_any_value_in_any_place_is_told_or_left_out(value):
    keys = ("metrics", "parity", "formats", "training", "parameters", "license")
    described(**dict.fromkeys(keys, value))
    described(
        metrics={"scores": {"fid": value, "kid": value}, "protocol": value},
        parity={"max_difference": value, "tolerance": value},
        formats={"float32": value, "int8": {"bytes": value, "fid": value}},
    )


def test_texts_are_cut_and_printable():
    sections = described(license="x" * 1000, created="\x1b[2J\u202e")
    assert len(sections["Licence"]["Weights"]) == 300
    assert sections["Generator"]["Exported"] == "\\u001b[2J\\u202e"
    assert "\x1b" not in sections["Generator"]["Classes"]
    assert described(parameters=10**40)["Generator"]["Weights"].startswith("10,000,")


def test_a_number_beyond_a_float_is_left_out():
    score = {"value": 10**40, "low": 0, "high": 1e400, "standard_error": 0}
    assert "Scores" not in described(metrics={"scores": {"fid": score | {"low": None}}})
