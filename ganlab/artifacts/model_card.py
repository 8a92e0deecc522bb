"""The artifact's `README.md`: a model card as Hugging Face reads it."""

import json
import re
from typing import Any

from ganlab.artifacts.card import Card
from ganlab.data import kinds
from ganlab.errors import UserError

MAX_LICENSE = 100
MAX_LISTED = 20
LIMITATIONS = """\
## Limitations

- Samples resemble the training data, its gaps and biases included. What is rare there
  may be missing.
- A sample may lie close to one that was trained on. `ganlab evaluate` counts copies.
- Inputs are standard normal latents. Others draw what was never trained.
"""


def check_license(license: str | None) -> None:
    """Raises `UserError` unless a licence is one short line."""
    if license is None:
        return
    one_line = isinstance(license, str) and license.isprintable()
    if not one_line or not 0 < len(license.strip()) <= MAX_LICENSE:
        raise UserError(
            f"Expected a licence of one line, {MAX_LICENSE} characters at most, such "
            f"as apache-2.0. Received: {license!r:.120}"
        )


def model_card(card: Card, name: str) -> str:
    """The text of `README.md`.

    Args:
        card: A complete card.
        name: Name of the artifact.
    """
    shape = card["outputs"]["images"]["shape"][1:]
    pictorial = kinds.of_shape(shape).pictorial
    sections = [
        _front_matter(card, pictorial),
        f"# {name}\n\n{_summary(card, shape, pictorial)}\n",
        "![Samples](samples.png)\n" if pictorial else "Samples: `samples.npy`.\n",
        *_attribution(card),
        _usage(card, pictorial),
        _certificate(card),
        _licences(card),
        LIMITATIONS,
    ]
    return "\n".join(sections)


def _front_matter(card: Card, pictorial: bool) -> str:
    """YAML; each value is JSON, which YAML contains."""
    values: dict[str, Any] = {"library_name": "onnx"}
    license = card["license"]
    if license is not None:
        named = re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", license.lower())
        values["license"] = license.lower() if named else "other"
        if not named:
            values["license_name"] = license
    if pictorial:
        values["pipeline_tag"] = "unconditional-image-generation"
    values["tags"] = ["gan", "ganlab", "onnx", "keras"]
    if card["class_names"]:
        values["tags"].append("class-conditional")
    if card["data_license"] is not None:  # a data set that is known by its name
        values["datasets"] = [_dataset(card["training"]["data"])]
    lines = [
        f"{key}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in values.items()
    ]
    return "\n".join(["---", *lines, "---", ""])


def _dataset(spec: str) -> str:
    """The name of a known data set, without what is read of it."""
    source, *parts = spec.split(":")
    return f"{source}-{parts[0]}" if source == "emoji" else (parts or [source])[0]


def _attribution(card: Card) -> list[str]:
    text = card.get("attribution")
    if not text:
        return []
    return [f"Samples of a generator that was trained on: {_code(text)}.\n"]


def _summary(card: Card, shape: list[int], pictorial: bool) -> str:
    sizes = " x ".join(map(str, shape))
    samples = f"samples of shape {sizes}"
    if pictorial:
        samples = kinds.described(shape)
    text = f"The generator of a GAN: {samples}"
    names = card["class_names"]
    if names:
        text += f" in {len(names)} classes"
    text += f", {card['parameters']:,} weights. Exported by ganlab {card['ganlab']}."
    if card["training"].get("data"):
        text += f" Trained on {_code(card['training']['data'])}"
        if card["training"].get("step"):
            text += f" for {card['training']['step']:,} steps"
        text += "."
    if 0 < len(names) <= MAX_LISTED:
        listed = ", ".join(f"{index} {_code(name)}" for index, name in enumerate(names))
        text += f"\n\nClasses: {listed}."
    return text


def _code(text: object) -> str:
    """Text of a file's as Markdown code on one line."""
    printable = "".join(c if c.isprintable() else " " for c in str(text))
    return f"`{printable.replace('`', chr(39))}`"


def _usage(card: Card, pictorial: bool) -> str:
    scale = card["outputs"]["images"]["range"]
    bounds = "" if scale is None else f" in [{scale[0]:g}, {scale[1]:g}]"
    kind = "uint8 images" if pictorial else "float32 arrays"
    feeds = [
        f'    "{name}": random.standard_normal({(16, *value["shape"][1:])}, "float32"),'
        for name, value in card["inputs"].items()
        if name != "labels"
    ]
    if card["class_names"]:
        classes = len(card["class_names"])
        feeds.append(f'    "labels": np.arange(16, dtype=np.int32) % {classes},')
    return "\n".join(
        [
            "## Use",
            "",
            "```python",
            "import ganlab",
            "",
            'artifact = ganlab.Artifact("this/folder")  # checks every hash',
            f"samples = artifact.sample(16, seed=0)  # {kind}",
            "```",
            "",
            "Without ganlab:",
            "",
            "```python",
            "import numpy as np, onnxruntime",
            "",
            'session = onnxruntime.InferenceSession("this/folder/generator.onnx")',
            "random = np.random.default_rng(0)",
            "feeds = {",
            *feeds,
            "}",
            f'(samples,) = session.run(["images"], feeds)  # float32{bounds}',
            "```",
            "",
            f"`generator.keras`: {card['keras']}.",
            "",
        ]
    )


def _certificate(card: Card) -> str:
    parity = card["parity"]
    differences = ", ".join(
        f"{name} {value:.1e}" for name, value in parity["max_difference"].items()
    )
    lines = [
        "## Certificate",
        "",
        "Largest difference from Keras on the same latents, on the scale of [-1, 1]: "
        f"{differences} (limit {parity['tolerance']:.0e}).",
        "",
        "Differences of the formats from float32:",
        "",
        "| format | bytes | largest | mean |",
        "|---|---|---|---|",
    ]
    for name, facts in card["formats"].items():
        lines.append(
            f"| {name} | {facts['bytes']:,} | {facts['max_difference']:.1e} | "
            f"{facts['mean_difference']:.1e} |"
        )
    for name, facts in card["formats"].items():
        if "note" in facts:
            lines += ["", f"{name}: {facts['note']}."]
    return "\n".join([*lines, ""])


def _licences(card: Card) -> str:
    weights, data = (
        "not stated" if licence is None else _code(licence)
        for licence in (card["license"], card["data_license"])
    )
    return f"## Licence\n\nWeights: {weights}. Training data: {data}.\n"
